"""What is not the weights it was taken for is refused, and the message says why."""

import struct

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mm_core.cli.convert import convert
from mm_core.errors import WeightsError
from mm_core.weights.header import Header, pack
from mm_core.weights.load import (
    check_shapes,
    fill,
    read_foreign,
    read_header,
    read_shapes,
    read_weights,
)
from mm_core.weights.save import save_tensors


@pytest.fixture
def good(tmp_path, noise):
    path = tmp_path / "good.safetensors"
    save_tensors({"weight": noise(2, 3), "bias": noise(2)}, path, Header("toy", 1, {"width": 3}))
    return path


def test_a_good_file_gives_its_tensors_and_header(good):
    tensors, header = read_weights(good, "toy", 1)
    assert {name: tuple(t.shape) for name, t in tensors.items()} == {"weight": (2, 3), "bias": (2,)}
    assert header == Header("toy", 1, {"width": 3})


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"none\.safetensors: found no file; check the path"):
        read_weights(tmp_path / "none.safetensors", "toy", 1)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(WeightsError, match="found no file"):
        read_weights(tmp_path, "toy", 1)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("model.safetensors", "clip-vit/model.safetensors"),
        ("model-00001-of-00002.safetensors", "clip-vit/model-00001-of-00002.safetensors"),
        ("diffusion_pytorch_model.fp16.safetensors",
         "clip-vit/diffusion_pytorch_model.fp16.safetensors"),
        ("pytorch_model.bin", "clip-vit/pytorch_model.bin"),
        ("karlo.safetensors", "karlo.safetensors"),
        ("my_model_of_mine.safetensors", "my_model_of_mine.safetensors"),
    ],
)  # fmt: skip
def test_a_name_that_every_folder_has_is_told_with_its_folder(tmp_path, name, shown):
    (tmp_path / "clip-vit").mkdir()
    path = tmp_path / "clip-vit" / name
    path.write_text("<!doctype html>")
    with pytest.raises(WeightsError) as e:
        read_shapes(path)
    assert str(e.value).startswith(f"{shown} is a")


@pytest.mark.parametrize("name", ["a.bin", "a.pt", "a.PTH", "a.ckpt", "a.pkl"])
def test_a_pickled_file_is_never_opened(tmp_path, name):
    path = tmp_path / name
    torch.save({"weight": torch.zeros(1)}, path)
    with pytest.raises(
        WeightsError,
        match=rf"{name} is a pickled file, .* run mmc convert {path}$",
    ):
        read_weights(path, "toy", 1)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickled_file_under_another_name_is_called_one(tmp_path, zipped):
    path = tmp_path / "a.safetensors"
    torch.save({"weight": torch.zeros(1)}, path, _use_new_zipfile_serialization=zipped)
    said = r"a\.safetensors is a pickled file .* rename it to a\.pt and run mmc convert .*a\.pt$"
    with pytest.raises(WeightsError, match=said):
        read_weights(path, "toy", 1)
    path.rename(path.with_suffix(".pt"))
    convert(path.with_suffix(".pt"), path)
    assert torch.equal(read_foreign(path)["weight"], torch.zeros(1))


def test_a_header_whose_length_begins_as_a_pickle_does_is_read(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"weight": torch.zeros(1)}, path, {"pad": ""})
    (length,) = struct.unpack("<Q", path.read_bytes()[:8])
    save_file({"weight": torch.zeros(1)}, path, {"pad": "x" * (0x380 - length)})
    assert path.read_bytes().startswith(b"\x80\x03")
    assert read_shapes(path) == {"weight": (1,)}
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(WeightsError, match="truncated or not"):
        read_shapes(path)


def test_a_file_that_may_not_be_read_is_told_so(good, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("mm_core.weights.load.refuse_web_page", refused)
    with pytest.raises(WeightsError, match=r"cannot be read \(Permission denied\); needed a file"):
        read_shapes(good)


@pytest.mark.parametrize("read", [read_header, lambda p: read_weights(p, "toy", 1)])
def test_a_damaged_header_is_refused_by_the_files_name(tmp_path, read):
    path = tmp_path / "a.safetensors"
    save_file({"weight": torch.zeros(1)}, path, pack(Header("toy", 1)) | {"mmc.config": "{"})
    with pytest.raises(WeightsError, match=r"a\.safetensors has a damaged header: mmc\.config is"):
        read(path)


@pytest.mark.parametrize("start", ["<!DOCTYPE html>", "\n <html lang=en>", "<?xml version='1.0'?>"])
def test_a_web_page_saved_as_weights_is_called_one(tmp_path, start):
    path = tmp_path / "a.safetensors"
    path.write_text(start + "<title>Sign in</title>" * 100)
    with pytest.raises(WeightsError, match=r"a\.safetensors is a web page saved as weights; down"):
        read_weights(path, "toy", 1)


@pytest.mark.parametrize("start", ["\ufeff<html>", "<!-- a page --><html>"])
def test_a_web_page_behind_a_mark_is_one_too(tmp_path, start):
    (tmp_path / "a.safetensors").write_text(start, encoding="utf-8")
    with pytest.raises(WeightsError, match="is a web page saved as weights"):
        read_weights(tmp_path / "a.safetensors", "toy", 1)


def test_an_empty_file_is_called_empty(tmp_path):
    (tmp_path / "a.safetensors").touch()
    with pytest.raises(WeightsError, match=r"a\.safetensors is empty; download it again"):
        read_weights(tmp_path / "a.safetensors", "toy", 1)


@pytest.mark.parametrize("keep", [4, 60, -1])
def test_a_truncated_file_is_refused(good, keep):
    good.write_bytes(good.read_bytes()[:keep])
    with pytest.raises(WeightsError, match=r"good\.safetensors is truncated or not a safetensors"):
        read_weights(good, "toy", 1)


def test_a_pointer_to_a_file_is_not_taken_for_it(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n")
    with pytest.raises(WeightsError, match="is a pointer of git-lfs, not the file"):
        read_weights(path, "toy", 1)
    path.write_text('{"error": "log in"}')
    with pytest.raises(WeightsError, match="truncated or not a safetensors file"):
        read_weights(path, "toy", 1)


def test_another_kind_is_refused_with_both_kinds(good):
    with pytest.raises(
        WeightsError, match="is of kind 'toy', version 1; needed kind 'oracle', ver"
    ):
        read_weights(good, "oracle", 1)


def test_another_version_is_refused_with_both_versions(good):
    with pytest.raises(WeightsError, match="version 1; needed kind 'toy', version 2"):
        read_weights(good, "toy", 2)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_a_file_of_others_is_refused(tmp_path, metadata):
    save_file({"weight": torch.zeros(1)}, tmp_path / "a.safetensors", metadata)
    with pytest.raises(WeightsError, match="has no header of this pack; needed a file of kind 'to"):
        read_weights(tmp_path / "a.safetensors", "toy", 1)


def test_a_file_of_others_gives_its_tensors_and_their_shapes(tmp_path, noise):
    tensors = {"a": noise(2, 3), "b": noise(4)}
    save_file(tensors, tmp_path / "a.safetensors")
    found = read_foreign(tmp_path / "a.safetensors")
    assert all(torch.equal(found[n], t) for n, t in tensors.items())
    assert read_shapes(tmp_path / "a.safetensors") == {"a": (2, 3), "b": (4,)}


@pytest.mark.parametrize("read", [read_foreign, read_shapes])
def test_a_file_of_others_is_refused_for_the_same_reasons(good, tmp_path, read):
    good.write_bytes(good.read_bytes()[:-1])
    with pytest.raises(WeightsError, match="truncated or not a safetensors file"):
        read(good)
    with pytest.raises(WeightsError, match="found no file"):
        read(tmp_path / "none.safetensors")
    torch.save({}, tmp_path / "a.bin")
    with pytest.raises(WeightsError, match=r"run mmc convert .*a\.bin$"):
        read(tmp_path / "a.bin")


def test_shapes_alone_can_be_checked():
    check_shapes(nn.Linear(3, 2), {"weight": (2, 3), "bias": (2,)}, "a")
    with pytest.raises(WeightsError, match="a does not fit Linear: missing bias"):
        check_shapes(nn.Linear(3, 2), {"weight": (2, 3)}, "a")


def test_fill_copies_every_tensor(noise):
    layer, weight, bias = nn.Linear(3, 2), noise(2, 3), noise(2)
    fill(layer, {"weight": weight, "bias": bias}, "a")
    assert torch.equal(layer.weight, weight)
    assert torch.equal(layer.bias, bias)


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ({"weight": (2, 3)}, "a.safetensors does not fit Linear: missing bias"),
        ({"weight": (2, 3), "bias": (2,), "x": (1,)}, "does not fit Linear: unexpected x"),
        (
            {"weight": (3, 2), "bias": (2,)},
            r"does not fit Linear: weight is \(3, 2\), expected \(2, 3\)",
        ),
        (
            {"weight": (3, 2), "x": (1,)},
            r"missing bias; unexpected x; weight is \(3, 2\), expected \(2, 3\)",
        ),
        (
            {f"x{k}": (1,) for k in range(9)},
            "missing bias; missing weight; unexpected x0; unexpected x1; and 7 more",
        ),
    ],
)
def test_every_difference_is_named_and_nothing_is_filled(shapes, said):
    layer = nn.Linear(3, 2)
    before = {name: t.clone() for name, t in layer.state_dict().items()}
    with pytest.raises(WeightsError, match=said):
        fill(layer, {name: torch.ones(shape) for name, shape in shapes.items()}, "a.safetensors")
    assert all(torch.equal(t, before[name]) for name, t in layer.state_dict().items())


def test_the_header_alone_can_be_asked_for(tmp_path):
    header = Header("a", 1, {"x": 1})
    save_tensors({}, tmp_path / "ours.safetensors", header)
    save_tensors({}, tmp_path / "theirs.safetensors")
    assert read_header(tmp_path / "ours.safetensors") == header
    assert read_header(tmp_path / "theirs.safetensors") is None
