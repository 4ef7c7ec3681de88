"""Finds a ComfyUI and the Python that runs it. As a script: says what it found, or with
--python only which Python runs it; exit 0 or 1."""

import os
import sys
from pathlib import Path

PACK = Path(__file__).absolute().parents[2]
ASSETS = PACK / "example_workflows" / "assets"


def comfyui():
    """$COMFYUI_PATH, else the ComfyUI this pack is installed in, else comfy-cli's default."""
    named = os.environ.get("COMFYUI_PATH")
    if named:
        if not _is_comfyui(Path(named)):
            sys.exit(f"COMFYUI_PATH is {named}: there is no ComfyUI (main.py and comfy/) in it")
        return Path(named)
    around = PACK.parents[1]  # <ComfyUI>/custom_nodes/<pack>
    default = Path.home() / "comfy" / "ComfyUI"
    return next((p for p in (around, default) if _is_comfyui(p)), None)


def interpreter(host):
    """$COMFYUI_PYTHON, else the one of .venv or venv inside the ComfyUI folder, else this one."""
    named = os.environ.get("COMFYUI_PYTHON")
    if named:
        return Path(named)
    inside = [host / folder / "bin" / "python" for folder in (".venv", "venv")]
    inside += [host / folder / "Scripts" / "python.exe" for folder in (".venv", "venv")]
    return next((p for p in inside if p.exists()), Path(sys.executable))


def _is_comfyui(folder):
    return (folder / "main.py").is_file() and (folder / "comfy").is_dir()


if __name__ == "__main__":
    found = comfyui()
    if found is None:
        sys.exit("no ComfyUI found")
    python = interpreter(found)
    told = python if "--python" in sys.argv else f"ComfyUI found at {found}, run by {python}"
    sys.stdout.write(f"{told}\n")
