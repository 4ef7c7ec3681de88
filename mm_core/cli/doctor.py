"""mmc doctor: what is installed, which ComfyUI is there, which model files are usable."""

import argparse
import importlib.metadata
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from ..adapters.ip_adapter.load import read_layout
from ..embedded import prior as embedded_prior
from ..embedded.weights import SHIPPED, load_embedded
from ..encoders.families import about
from ..errors import MMError
from ..evaluation import weights as oracle_file
from ..priors.about import about_file
from ..weights.command import command
from ..weights.load import named, read_shapes

PACKAGES = ("transformers", "safetensors", "numpy", "pillow")
PICKLED = (".bin", ".pt", ".pth", ".ckpt")
ADAPTERS, PRIORS, ENCODERS = "ipadapter", "mmc_priors", "mmc_encoders"
FOLDERS = (ADAPTERS, PRIORS, "mmc_fusion")


def add(commands: Any) -> None:
    """Adds the sub-command."""
    p = commands.add_parser("doctor", help="what is installed and which model files are usable")
    p.add_argument("--comfyui", type=Path, help="a ComfyUI folder; default: looked for")
    p.add_argument("--encoders", type=Path, metavar="DIR",
                   help="a model folder, or a folder of model folders")  # fmt: skip
    p.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Prints findings; never fails because something is missing."""
    for line in findings(given.comfyui, given.encoders):
        sys.stdout.write(line + "\n")


def findings(comfyui: Path | None, encoders: Path | None = None) -> Iterator[str]:
    """One line each."""
    yield f"python {sys.version.split()[0]}"
    yield f"torch {torch.__version__}"  # its own word tells the build, such as +cpu or +cu130
    for name in PACKAGES:
        try:
            yield f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            note = " (needed only by encoders inside ComfyUI)" if name == "transformers" else ""
            yield f"{name}: not installed{note}"
    for label, path, load in (
        ("embedded model", SHIPPED, load_embedded),
        ("embedded priors", embedded_prior.SHIPPED, embedded_prior.load_priors),
        ("oracle", oracle_file.SHIPPED, oracle_file.load_oracle),
    ):
        try:
            load(path)
            yield f"{label}: usable, {path.stat().st_size / 1e6:.1f} MB"
        except Exception as e:
            yield f"{label}: NOT usable: {_reason(e)}"
    if encoders is not None:
        yield from _encoders(encoders)
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
    if (host / "models" / ENCODERS).is_dir():
        yield from _encoders(host / "models" / ENCODERS)


def _find() -> Path | None:
    named = os.environ.get("COMFYUI_PATH")
    places = [Path(named)] if named else []
    places += [*Path(__file__).absolute().parents[4:5], Path.home() / "comfy" / "ComfyUI"]
    return next((p for p in places if (p / "main.py").is_file() and (p / "comfy").is_dir()), None)


def _version(host: Path) -> str:
    try:
        text = (host / "comfyui_version.py").read_text(encoding="utf-8")
        return text.split("__version__")[1].split('"')[1]
    except (OSError, ValueError, IndexError):
        return "of unknown version"


def _models(folder: Path) -> Iterator[str]:
    for path in _files(folder):
        name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
        if path.suffix == ".safetensors":
            said = USABLE.get(folder.name, _usable(_readable, "readable"))(path)
            yield _line(f"{name}: {said}")
        elif path.suffix in PICKLED:
            yield _line(f"{name}: NOT usable: pickled; run {command('convert', path)}")


def _files(folder: Path) -> list[Path]:
    """All files below, without folders that may not be read."""
    found = (Path(at) / name for at, _, names in os.walk(folder) for name in names)
    return sorted(p for p in found if not p.is_dir())


def _encoders(folder: Path) -> Iterator[str]:
    """Every model folder in it, or itself, with what it is good for or why it cannot be used."""
    found = [p.parent for p in folder.rglob("config.json")] if folder.is_dir() else []
    for model in sorted(found):
        name = folder.name if model == folder else f"{folder.name}/{model.relative_to(folder)}"
        try:
            yield _line(f"{name}: {about(model)}")
        except Exception as e:
            yield _line(f"{name}: cannot be used: {_reason(e)}")
    if not found:
        yield f"{folder}: found no model folder, which holds config.json and model.safetensors"


def _readable(path: Path) -> str:
    return f"{len(read_shapes(path))} tensors"


def _usable(about: Callable[[Path], object], word: str = "usable") -> Callable[[Path], str]:
    """about: says what a file is, or raises the reason why it cannot be used. word: if it can."""

    def told(path: Path) -> str:
        try:
            return f"{word}, {about(path)}"
        except Exception as e:  # whatever a file does, the next one is told, too
            return f"NOT usable: {_reason(e)}"

    return told


def _reason(error: Exception) -> str:
    """Our own errors say all; of others the name, and what they say in short."""
    if isinstance(error, MMError):
        return str(error)
    said = " ".join(str(error).split())[:160]
    return f"reading it ended with {type(error).__name__} ({said})"


def _line(text: str) -> str:
    """One line, whatever names files and tensors have."""
    return " ".join(text.splitlines()).encode(errors="replace").decode()


def _prior(path: Path) -> str:
    return about_file(path).splitlines()[0].removeprefix(f"{named(path)}: ")


USABLE = {ADAPTERS: _usable(read_layout), PRIORS: _usable(_prior)}
