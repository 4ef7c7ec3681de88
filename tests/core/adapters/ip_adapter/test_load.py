"""Files come in whole, under names of any publisher, or are refused."""

from types import ModuleType

import layouts
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mm_core.adapters.ip_adapter.load import load_adapter, read_adapter, read_layout
from mm_core.adapters.ip_adapter.projection import ImagePrompt
from mm_core.errors import WeightsError

FACE = [8] * 2 + [16] * 2 + [24] * 5 + [16] * 3 + [8] * 3 + [24]


def test_a_loaded_adapter_holds_the_files_numbers(written, tiny, noise):
    shapes = layouts.base(12, 64) | tiny
    adapter, tensors = load_adapter(written(shapes)), layouts.random_tensors(shapes)
    assert adapter.state_dict().keys() == tensors.keys()
    assert all(torch.equal(t, tensors[n]) for n, t in adapter.state_dict().items())
    kv = adapter.keys_values(adapter.tokens(ImagePrompt(noise(2, 12))))
    assert {i: tuple(pair.k.shape) for i, pair in kv.items()} == {
        i: (2, 4, w) for i, w in zip(range(1, 33, 2), FACE, strict=True)
    }


def test_layers_are_the_hosts(written, tiny):
    ops = ModuleType("ops")
    ops.Linear = type("HostLinear", (nn.Linear,), {})
    ops.LayerNorm = type("HostNorm", (nn.LayerNorm,), {})
    adapter = load_adapter(written(layouts.plus(12, 24, 2, 64) | tiny), ops)
    own = {type(m) for m in adapter.modules() if isinstance(m, nn.Linear | nn.LayerNorm)}
    assert own == {ops.Linear, ops.LayerNorm}


def test_precision_is_the_files_until_a_module_is_made(tmp_path, tiny):
    half = {n: t.half() for n, t in layouts.random_tensors(layouts.base(12, 64) | tiny).items()}
    save_file(half, tmp_path / "a.safetensors")
    file = read_adapter(tmp_path / "a.safetensors")
    assert {t.dtype for t in file.tensors.values()} == {torch.float16}
    assert next(load_adapter(tmp_path / "a.safetensors").parameters()).dtype == torch.float32


def test_low_rank_weights_are_kept_apart(written, tiny):
    file = read_adapter(written(layouts.faceid(10, 64) | tiny | layouts.lora(FACE, 64, 4)))
    assert file.layout.lora_rank == 4
    assert len(file.lora) == 32 * 8
    assert not [n for n in file.tensors if "lora" in n]


def test_names_of_xlabs_and_of_the_community_load_alike(written, tiny):
    shapes = {n.replace("ip_adapter.", "adapter_modules."): s for n, s in tiny.items()}
    community = load_adapter(written(layouts.base(12, 64) | shapes))
    assert "ip_adapter.31.to_k_ip.weight" in community.state_dict()
    xlabs = load_adapter(written(layouts.xlabs(12, 32, 32, blocks=2), "x.safetensors"))
    assert xlabs.layout.family == "flux_xlabs"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image_proj.norm.bias": None}, "does not fit IPAdapter: missing image_proj.norm.bias"),
        ({"image_proj.extra": (3,)}, "unexpected image_proj.extra"),
        ({"image_proj.norm.bias": (5,)}, r"norm.bias is \(5,\), expected \(64,\)"),
        ({"ip_adapter.1.to_k_ip.bias": (8,)}, "unexpected ip_adapter.1.to_k_ip.bias"),
    ],
)
def test_a_tensor_too_few_too_many_or_too_large_is_named(written, tiny, change, said):
    shapes = layouts.base(12, 64) | tiny | change
    path = written({n: s for n, s in shapes.items() if s is not None})
    with pytest.raises(WeightsError, match=rf"a\.safetensors .*{said}"):
        read_layout(path)


def test_what_is_no_file_of_weights_is_refused_like_any_other(tmp_path):
    (tmp_path / "a.safetensors").write_text("<!doctype html><title>Sign in</title>")
    with pytest.raises(WeightsError, match="a web page saved as weights"):
        read_layout(tmp_path / "a.safetensors")
    torch.save({}, tmp_path / "ip-adapter.bin")
    with pytest.raises(WeightsError, match=r"run mmc convert .*ip-adapter\.bin"):
        read_layout(tmp_path / "ip-adapter.bin")


def test_the_layout_is_read_without_the_tensors(written, tiny, monkeypatch):
    path = written(layouts.base(12, 64) | tiny)
    monkeypatch.setattr("mm_core.adapters.ip_adapter.load.read_foreign", None)
    assert str(read_layout(path)).startswith("base for SD1.5, 4 tokens, needs image_embeds 12")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["image_proj.proj.weight", "ip_adapter.5.to_k_ip.weight"])
def test_numbers_that_are_none_are_named(tmp_path, tiny, name, number):
    tensors = layouts.random_tensors(layouts.base(12, 64) | tiny)
    tensors[name][0, 0] = number
    save_file(tensors, tmp_path / "a.safetensors")
    with pytest.raises(WeightsError, match=rf"a\.safetensors is damaged: {name} holds numbers"):
        read_adapter(tmp_path / "a.safetensors")


def test_quantised_numbers_are_refused(tmp_path, tiny):
    tensors = layouts.random_tensors(layouts.base(12, 64) | tiny)
    tensors = {n: t.to(torch.int8) for n, t in tensors.items()}
    save_file(tensors, tmp_path / "a.safetensors")
    with pytest.raises(WeightsError, match="numbers of the kind int8; needed floating point"):
        read_adapter(tmp_path / "a.safetensors")
