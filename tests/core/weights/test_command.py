"""The command in messages is one that can be run as it stands."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mm_core.errors import WeightsError
from mm_core.weights import command as module
from mm_core.weights.command import call_as, command
from mm_core.weights.load import read_shapes

PACK = Path(__file__).absolute().parents[3]


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    monkeypatch.setattr(module, "_start", ["mmc"])


def test_the_command_is_mmc_unless_it_is_called_otherwise():
    assert command("convert", Path("a.bin")) == "mmc convert a.bin"
    call_as("python", "/x/mmc.py")
    assert command("doctor") == "python /x/mmc.py doctor"


@pytest.mark.skipif(sys.platform == "win32", reason="quotes of a POSIX shell")
def test_words_with_spaces_are_quoted():
    assert command("convert", "a b.bin") == "mmc convert 'a b.bin'"


def test_for_windows_words_with_spaces_have_double_quotes(monkeypatch):
    monkeypatch.setattr(module.os, "name", "nt")
    call_as(r"C:\ComfyUI portable\python.exe", r"C:\mmc.py")
    assert command("convert", r"D:\a.bin") == (
        r'"C:\ComfyUI portable\python.exe" C:\mmc.py convert D:\a.bin'
    )


@pytest.mark.skipif(sys.platform == "win32", reason="run by a POSIX shell")
@pytest.mark.parametrize("isolated", [[], ["-I"]], ids=["plain", "isolated"])
def test_what_a_refusal_says_to_run_makes_a_file_that_is_read(tmp_path, isolated):
    """From another folder, and by a Python that looks for modules nowhere near, as an embedded
    one does. The message is copied, not put together here."""
    path = tmp_path / "a folder" / "pytorch_model.bin"
    path.parent.mkdir()
    torch.save({"a": torch.arange(3.0)}, path)
    call_as(sys.executable, *isolated, str(PACK / "mmc.py"))
    with pytest.raises(WeightsError, match=r"needed \.safetensors: run ") as e:
        read_shapes(path)
    assert str(e.value).startswith("a folder/pytorch_model.bin is a pickled file")
    line = str(e.value).partition(": run ")[2]
    done = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = load_file(path.with_suffix(".safetensors"))
    assert torch.equal(found["a"], torch.arange(3.0))
