"""Files appear whole or not at all."""

import json
import os
import stat

import pytest
import torch
from safetensors.torch import load_file

from mm_core.errors import InputError
from mm_core.weights.header import Header
from mm_core.weights.save import save_bytes, save_json, save_tensors, write_text


def breaks_halfway(file):
    file.write(b"half")
    raise KeyboardInterrupt


def test_saved_tensors_load_as_they_were(tmp_path, noise):
    tensors = {"a": noise(2, 3), "b": noise(3, 2).T}
    save_tensors(tensors, tmp_path / "new" / "a.safetensors", Header("toy", 1))
    loaded = load_file(tmp_path / "new" / "a.safetensors")
    assert loaded.keys() == tensors.keys()
    assert all(torch.equal(loaded[name], tensors[name]) for name in tensors)


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        save_bytes(breaks_halfway, path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_an_interrupted_first_write_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        save_bytes(breaks_halfway, tmp_path / "a.bin")
    assert os.listdir(tmp_path) == []


def test_tensors_that_cannot_be_written_leave_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"old")
    shared = torch.zeros(3)
    with pytest.raises(RuntimeError, match="share memory"):
        save_tensors({"a": shared, "b": shared}, path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.safetensors"]


def test_the_new_file_stands_beside_the_old_one_until_it_is_whole(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    while_writing = []

    def write(file):
        file.write(b"new")
        while_writing.append(path.read_bytes())

    save_bytes(write, path)
    assert while_writing == [b"old"]
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_permissions_are_those_of_any_new_file(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_text("x", tmp_path / "ours")
        save_tensors({"a": torch.zeros(1)}, tmp_path / "tensors")
        (tmp_path / "plain").touch()
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(os.stat(tmp_path / n).st_mode) for n in ("ours", "tensors", "plain")}
    assert modes == {0o666 & ~mask}


@pytest.mark.parametrize("save", [lambda p: write_text("x", p), lambda p: save_tensors({}, p)])
def test_a_folder_that_cannot_be_is_refused_by_name(tmp_path, save):
    (tmp_path / "file").write_text("a file, not a folder")
    with pytest.raises(InputError, match=r"cannot write .*file.sub.a: .*; choose a folder that"):
        save(tmp_path / "file" / "sub" / "a")


def test_json_is_readable_and_ends_with_a_newline(tmp_path):
    save_json({"b": 1, "a": [1.5, None]}, tmp_path / "a.json")
    text = (tmp_path / "a.json").read_text()
    assert json.loads(text) == {"b": 1, "a": [1.5, None]}
    assert text.endswith("}\n")
