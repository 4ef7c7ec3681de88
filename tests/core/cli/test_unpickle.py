"""The reader of pickles makes tensors alone, and cannot do anything else while it reads."""

import subprocess
import sys

import pytest
import torch

from mm_core.cli import unpickle
from mm_core.cli.unpickle import RefusedError, flatten, read


def test_names_of_nested_tables_are_joined_by_dots(noise):
    a, b = noise(2, 3), noise(2)
    found = flatten({"image_proj": {"norm.bias": a}, "ip_adapter": {"1": {"k": b}}, "none": {}})
    assert found.keys() == {"image_proj.norm.bias", "ip_adapter.1.k"}
    assert torch.equal(found["ip_adapter.1.k"], b)


def test_tensors_that_share_memory_or_lie_otherwise_come_out_on_their_own(noise):
    shared = noise(4, 3)
    found = flatten({"a": shared, "b": shared, "c": shared.T})
    assert len({t.data_ptr() for t in found.values()}) == 3
    assert all(t.is_contiguous() for t in found.values())


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"a": {"epoch": 3}}, "holds int a.epoch; needed tensors by name; take a file"),
        ({"a": [torch.zeros(1)]}, "holds list a; needed tensors by name"),
        ([torch.zeros(1)], "holds list alone; needed tensors by name"),
        ({1: torch.zeros(1)}, "holds dict alone; needed tensors by name"),
        ({"a.b": torch.zeros(1), "a": {"b": torch.zeros(1)}}, "names two tensors a.b"),
        ({"a": torch.eye(2).to_sparse()}, "a sparse or quantised tensor, a; needed plain tensors"),
    ],
)
def test_what_is_no_table_of_tensors_is_refused(value, said):
    with pytest.raises(RefusedError, match=said):
        flatten(value)


def test_a_file_without_tensors_is_refused(tmp_path):
    torch.save({}, tmp_path / "a.bin")
    with pytest.raises(RefusedError, match="holds no tensors; needed weights; choose another"):
        read(tmp_path / "a.bin")


@pytest.mark.parametrize(
    ("attempt", "event"),
    [
        ("import socket; socket.socket()", "socket.__new__"),
        ("import socket; socket.getaddrinfo('localhost', 80)", "socket.getaddrinfo"),
        ("import os; os.system('true')", "os.system"),
        ("import subprocess; subprocess.run(['true'])", "subprocess.Popen"),
        ("open(target, 'w')", "open"),
    ],
)
def test_nothing_reaches_out_once_the_process_is_locked(tmp_path, attempt, event):
    code = (
        "import runpy, sys\n"
        "target = sys.argv[2]\n"
        "runpy.run_path(sys.argv[1], run_name='reader')['lock']()\n" + attempt
    )
    done = subprocess.run(
        [sys.executable, "-c", code, unpickle.__file__, str(tmp_path / "a")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr.splitlines()[-1] == (
        f"PermissionError: {event} is locked while a pickled file is read"
    )
    assert not list(tmp_path.iterdir())
