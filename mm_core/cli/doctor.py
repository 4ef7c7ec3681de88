"""mmc doctor: what is installed, which ComfyUI is there, which model files are usable."""

import argparse
import importlib.metadata
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..embedded.weights import SHIPPED, load_embedded
from ..errors import MMError
from ..evaluation import weights as oracle_file

PACKAGES = ("torch", "transformers", "safetensors", "numpy", "pillow")
PICKLED = (".bin", ".pt", ".pth", ".ckpt")
FOLDERS = ("ipadapter", "mmc_priors", "mmc_fusion", "mmc_encoders")


def add(commands: Any) -> None:
    """Adds the sub-command."""
    p = commands.add_parser("doctor", help="what is installed and which model files are usable")
    p.add_argument("--comfyui", type=Path, help="a ComfyUI folder; default: looked for")
    p.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Prints findings; never fails because something is missing."""
    for line in findings(given.comfyui):
        sys.stdout.write(line + "\n")


def findings(comfyui: Path | None) -> Iterator[str]:
    """One line each."""
    yield f"python {sys.version.split()[0]}"
    for name in PACKAGES:
        try:
            yield f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            note = " (needed only by encoders inside ComfyUI)" if name == "transformers" else ""
            yield f"{name}: not installed{note}"
    for label, path, load in (
        ("embedded model", SHIPPED, load_embedded),
        ("oracle", oracle_file.SHIPPED, oracle_file.load_oracle),
    ):
        try:
            load(path)
            yield f"{label}: usable, {path.stat().st_size / 1e6:.1f} MB"
        except MMError as e:
            yield f"{label}: NOT usable: {e}"
    host = comfyui or _find()
    if host is None:
        yield "ComfyUI: none found (looked at $COMFYUI_PATH, around this pack, ~/comfy/ComfyUI)"
        return
    if not (host / "main.py").is_file():
        yield f"ComfyUI: none at {host}; give the folder that holds main.py"
        return
    yield f"ComfyUI {_version(host)} at {host}"
    for folder in FOLDERS:
        yield from _models(host / "models" / folder)


def _find() -> Path | None:
    named = os.environ.get("COMFYUI_PATH")
    places = [Path(named)] if named else []
    places += [*Path(__file__).absolute().parents[4:5], Path.home() / "comfy" / "ComfyUI"]
    return next((p for p in places if (p / "main.py").is_file() and (p / "comfy").is_dir()), None)


def _version(host: Path) -> str:
    try:
        text = (host / "comfyui_version.py").read_text(encoding="utf-8")
        return text.split("__version__")[1].split('"')[1]
    except (OSError, IndexError):
        return "of unknown version"


def _models(folder: Path) -> Iterator[str]:
    if not folder.is_dir():
        return
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if path.suffix == ".safetensors":
            yield f"{folder.name}/{path.name}: {_readable(path)}"
        elif path.suffix in PICKLED:
            yield f"{folder.name}/{path.name}: NOT usable: pickled; run mmc convert {path}"


def _readable(path: Path) -> str:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return f"readable, {len(list(file.keys()))} tensors"
    except SafetensorError as e:
        return f"NOT usable: {e}"
