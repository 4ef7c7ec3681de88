"""Finding a ComfyUI, and what comes back from a script that is run in it."""

import sys
from pathlib import Path

import pytest

from mm_core.errors import InputError
from mm_core.evaluation.bench.comfyui import SCRIPTS, find, interpreter, measure


@pytest.fixture
def host(tmp_path):
    (tmp_path / "comfy").mkdir()
    (tmp_path / "main.py").touch()
    return tmp_path


@pytest.fixture
def script(tmp_path, monkeypatch):
    """script("print(1)") is a file with these lines."""
    monkeypatch.setenv("COMFYUI_PYTHON", sys.executable)

    def write(text):
        path = tmp_path / "script.py"
        path.write_text(text)
        return path

    return write


def test_the_named_folder_is_found_if_it_is_a_comfyui(host, tmp_path):
    assert all(script.is_file() for script in SCRIPTS.values())
    assert find("comfyui", {"COMFYUI_PATH": str(host)}) == host
    said = find("comfyui", {"COMFYUI_PATH": str(tmp_path / "none")})
    assert (
        said
        == f"part comfyui left out: no ComfyUI at {tmp_path}/none; set COMFYUI_PATH to its folder"
    )


def test_its_own_python_comes_before_this_one(host):
    assert interpreter(host, {}) == Path(sys.executable)
    own = host / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.touch()
    assert interpreter(host, {}) == own
    assert interpreter(host, {"COMFYUI_PYTHON": "/a/python"}) == Path("/a/python")


def test_figures_are_the_last_line_and_the_script_runs_in_the_hosts_folder(host, script):
    said = (
        "import json, os, sys\nprint('loading')\n"
        "print(json.dumps({'here': os.getcwd(), 'told': sys.argv[1:]}))\n"
    )
    told = ["--peer", "a"]
    assert measure(host, script(said), told) == {"here": str(host), "told": told}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise SystemExit('no such model')", "ended with code 1 and no figures: no such model"),
        ("print('all is well')", "ended with code 0 and no figures: all is well"),
        ("print([1])", r"no figures: \[1\]"),
    ],
)
def test_a_script_without_figures_is_one_line(host, script, text, words):
    with pytest.raises(InputError, match=words):
        measure(host, script(text))
