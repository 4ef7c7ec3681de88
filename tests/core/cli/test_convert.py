"""mmc convert: tensors come out as they were; everything else is refused and nothing is run."""

import os
import sys

import pytest
import torch
from safetensors.torch import load_file

from mm_core.adapters.ip_adapter.load import read_adapter
from mm_core.cli import convert


class Runs:
    """Pickles as a call of os.system."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def test_an_official_bin_becomes_the_published_safetensors(mmc, tmp_path, noise, files):
    nested = {
        "image_proj": {"norm.bias": noise(3)},
        "ip_adapter": {"1.to_k_ip.weight": noise(2, 3)},
    }
    torch.save(nested, tmp_path / "ip-adapter.bin")
    outcome = mmc("convert", "ip-adapter.bin", "--out", "new/a.safetensors")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == "new/a.safetensors: 2 tensors, 0.0 MB\n"
    found = load_file(tmp_path / "new" / "a.safetensors")
    assert torch.equal(found["image_proj.norm.bias"], nested["image_proj"]["norm.bias"])
    assert torch.equal(
        found["ip_adapter.1.to_k_ip.weight"], nested["ip_adapter"]["1.to_k_ip.weight"]
    )
    assert files() == ["ip-adapter.bin", "new", "new/a.safetensors"]


def test_a_trainers_checkpoint_becomes_an_adapter_that_loads(mmc, tmp_path, noise):
    """As IP-Adapter's trainer pickles one: a layer has two names, in the UNet and beside it."""
    widths = [8] * 2 + [16] * 2 + [24] * 5 + [16] * 3 + [8] * 3 + [24]
    layers = {
        f"{2 * n + 1}.to_{p}_ip.weight": noise(w, 64) for n, w in enumerate(widths) for p in "kv"
    }
    projection = {"proj.weight": noise(256, 12), "proj.bias": noise(256),
                  "norm.weight": noise(64), "norm.bias": noise(64)}  # fmt: skip
    place = "unet.mid_block.attentions.0.transformer_blocks.0.attn2.processor"
    state = {
        "unet.conv_in.weight": noise(4),
        f"{place}.to_k_ip.weight": layers["31.to_k_ip.weight"],
    }
    state |= {f"image_proj_model.{n}": t for n, t in projection.items()}
    state |= {f"adapter_modules.{n}": t for n, t in layers.items()}
    torch.save(state, tmp_path / "pytorch_model.bin")
    assert mmc("convert", "pytorch_model.bin", "--out", "a.safetensors").code == 0
    found = read_adapter(tmp_path / "a.safetensors").tensors
    wanted = {f"image_proj.{n}": t for n, t in projection.items()}
    wanted |= {f"ip_adapter.{n}": t for n, t in layers.items()}
    assert found.keys() == wanted.keys()
    assert all(torch.equal(tensor, found[name]) for name, tensor in wanted.items())


def test_precision_stays_and_the_name_is_the_files_own(mmc, tmp_path, noise):
    torch.save({"a": noise(2).half(), "b": noise(2).bfloat16()}, tmp_path / "a.pt")
    assert mmc("convert", "a.pt").out.startswith("a.safetensors: 2 tensors")
    found = load_file(tmp_path / "a.safetensors")
    assert (found["a"].dtype, found["b"].dtype) == (torch.float16, torch.bfloat16)


def test_code_in_a_file_is_named_and_not_run(refused, tmp_path):
    torch.save({"a": Runs(f"touch {tmp_path / 'ran'}")}, tmp_path / "evil.bin")
    refused("evil.bin is damaged or holds code to run (posix.system)", "convert", "evil.bin")


def test_a_truncated_file_is_refused_and_leaves_the_old_one(refused, tmp_path, noise):
    torch.save({"a": noise(50, 50)}, tmp_path / "a.bin")
    (tmp_path / "a.bin").write_bytes((tmp_path / "a.bin").read_bytes()[:-500])
    (tmp_path / "a.safetensors").write_bytes(b"old")
    refused("a.bin is damaged or holds something else (", "convert", "a.bin")
    assert (tmp_path / "a.safetensors").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.bin"], "none.bin: found no file; check the path"),
        (["a.safetensors"], "needed a name that ends in .bin, .pt, .pth, .ckpt, .pkl"),
        (["page.bin"], "page.bin is a web page saved as weights"),
        (["page.bin", "--out", "a.bin"], "--out a.bin: the name must end in .safetensors"),
        (["a.bin", "--out", "folder.safetensors"], "is a folder; give a file name in it"),
        ([], "the following arguments are required: FILE"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_read(refused, tmp_path, arguments, words):
    for name in ("a.bin", "a.safetensors"):
        (tmp_path / name).touch()
    (tmp_path / "page.bin").write_text("<!doctype html>")
    (tmp_path / "folder.safetensors").mkdir()
    refused(words, "convert", *arguments)


def test_a_reader_that_dies_is_told(refused, tmp_path, monkeypatch):
    torch.save({"a": torch.zeros(1)}, tmp_path / "a.bin")
    monkeypatch.setattr(convert.unpickle, "__file__", str(tmp_path / "no-such-reader.py"))
    refused("a.bin was not converted: the process that read it ended with 2", "convert", "a.bin")


def test_the_reader_is_this_python_alone(monkeypatch, tmp_path):
    seen = []

    def run(command, **options):
        seen.append(command)
        raise KeyboardInterrupt

    monkeypatch.setattr(convert.subprocess, "run", run)
    with pytest.raises(KeyboardInterrupt):
        convert.convert(tmp_path / "a.bin", tmp_path / "b")
    assert seen[0][:2] == [sys.executable, "-I"]
