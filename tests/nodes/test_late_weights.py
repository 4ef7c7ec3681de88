"""Every module of the pack loads where the host's layers get their weights late."""

import json
import subprocess

import pytest
from find_comfyui import PACK, comfyui, interpreter

pytestmark = pytest.mark.host


def test_layers_whose_weights_come_late_are_filled():
    host = comfyui()
    script = PACK / "tests" / "nodes" / "inside_late.py"
    done = subprocess.run(
        [interpreter(host), script, PACK], cwd=host, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    off = json.loads(done.stdout.splitlines()[-1])
    assert len(off) >= 10
    assert {name: d for name, d in off.items() if d > 1e-5} == {}
