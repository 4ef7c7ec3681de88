"""Runs the benchmark that needs a ComfyUI in that ComfyUI's own Python, and reads its figures."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import InputError

_FOLDER = Path(__file__).absolute().parents[3] / "benchmarks"
SCRIPTS = {
    "comfyui": _FOLDER / "comfyui_guidance.py",
    "image_prompts": _FOLDER / "ip_adapter_cost.py",
}


def find(part: str, environment: Mapping[str, str] = os.environ) -> Path | str:
    """The ComfyUI at $COMFYUI_PATH or ~/comfy/ComfyUI; otherwise one line that says what a part
    lacks."""
    named = environment.get("COMFYUI_PATH")
    host = Path(named) if named else Path.home() / "comfy" / "ComfyUI"
    if not (script := SCRIPTS[part]).is_file():
        return f"part {part} left out: {script} is missing; run it from a checkout of this pack"
    if not ((host / "main.py").is_file() and (host / "comfy").is_dir()):
        return f"part {part} left out: no ComfyUI at {host}; set COMFYUI_PATH to its folder"
    return host


def interpreter(host: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """$COMFYUI_PYTHON, else the one of .venv or venv in the ComfyUI folder, else this one."""
    if named := environment.get("COMFYUI_PYTHON"):
        return Path(named)
    inside = [host / v / b for v in (".venv", "venv") for b in ("bin/python", "Scripts/python.exe")]
    return next((p for p in inside if p.exists()), Path(sys.executable))


def measure(host: Path, script: Path, arguments: Sequence[str] = ()) -> dict[str, Any]:
    """The JSON object that a script prints last.

    Raises InputError with the script's last words where it fails.
    """
    done = subprocess.run(
        [str(interpreter(host)), str(script), *arguments],
        cwd=host,
        capture_output=True,
        text=True,
        check=False,
    )
    last = (done.stdout.strip().splitlines() or [""])[-1]
    try:
        found = json.loads(last) if done.returncode == 0 else None
    except json.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        said = (done.stderr.strip() or last or "nothing").splitlines()[-1]
        raise InputError(
            f"{script.name} under {host} ended with code {done.returncode} and no figures: {said}"
        )
    return found
