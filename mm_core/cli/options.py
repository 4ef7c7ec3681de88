"""Values of options, checked where they come in."""

import math
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NoReturn

from ..embedded.model import MODALITIES
from ..errors import InputError
from ..types import Window


def weights(given: Sequence[str]) -> dict[str, float]:
    """["text=5", "style=2"] -> {"text": 5.0, "style": 2.0}."""
    out = {}
    for item in given:
        name, value = _pair(item, "--weight", "text=5")
        try:
            out[name] = float(value)
        except ValueError:
            out[name] = math.nan
        if not math.isfinite(out[name]):
            raise InputError(
                f"--weight {item}: {value!r} is not a finite number; give one like {name}=2"
            )
    return out


def windows(given: Sequence[str]) -> dict[str, Window]:
    """["depth=0:0.6"] -> {"depth": Window(0, 0.6)}."""
    out = {}
    for item in given:
        name, value = _pair(item, "--window", "depth=0:0.6")
        start, colon, end = value.partition(":")
        try:
            edges = float(start), float(end)
        except ValueError:
            colon, edges = "", (0.0, 1.0)
        if not colon or not 0 <= edges[0] <= edges[1] <= 1:
            raise InputError(
                f"--window {item}: needed start:end with 0 <= start <= end <= 1, such as "
                f"{name}=0:0.6"
            )
        out[name] = Window(*edges)
    return out


def size(given: str, option: str) -> tuple[int, int]:
    """ "1920x1080" -> (1920, 1080)."""
    width, _, height = given.lower().partition("x")
    if not (width.strip().isdecimal() and height.strip().isdecimal()):
        raise InputError(f"{option} {given}: needed width x height in pixels, such as 1920x1080")
    if 0 in (sides := (int(width), int(height))):
        refuse(option, given, "of at least 1 pixel each way")
    return sides


def writable(path: Path, option: str = "--out") -> Path:
    """The path, if a file can be written there; otherwise InputError, before any work is done."""
    if path.is_dir():
        raise InputError(f"{option} {path} is a folder; give a file name in it")
    if path.exists() and not path.is_file():  # renaming onto it would replace the device itself
        raise InputError(f"{option} {path} is a pipe or device; give a file name")
    there = next(p for p in path.absolute().parents if p.exists())  # the rest is made on writing
    return _in_folder(path, there, option)


def writable_folder(path: Path, option: str = "--out") -> Path:
    """The folder, made if need be; otherwise InputError."""
    if path.exists() and not path.is_dir():
        raise InputError(f"{option} {path} is a file; give a folder")
    return _in_folder(path, path, option)


def document(path: Path | None, option: str = "--markdown") -> str:
    """The text of a document that is to be changed; empty where none was given."""
    if path is None:
        return ""
    if path.exists() and not path.is_file():
        raise InputError(f"{option} {path}: is no file; give a Markdown file")
    try:
        return path.read_text(encoding="utf-8")
    except OSError as e:
        raise InputError(f"{option} {path}: cannot be read ({e.strerror})") from e
    except UnicodeDecodeError as e:
        raise InputError(f"{option} {path}: is not text in UTF-8; give a Markdown file") from e


def places(markdown: Path | None, image: Path | None, json: str | None) -> str:
    """The text of --markdown's document; InputError unless all three places can be written to.

    json: a path, or - for standard output.
    """
    text = document(markdown)
    target = None if json in (None, "-") else Path(str(json))
    for option, path in (("--markdown", markdown), ("--image", image), ("--json", target)):
        if path is not None:
            writable(path, option)
    return text


def parts(asked: str, known: Collection[str]) -> list[str]:
    """Names between commas, such as "a, b" -> ["a", "b"]; each must be known."""
    found = [s.strip() for s in asked.split(",") if s.strip()]
    if not found or (unknown := [p for p in found if p not in known]):
        refused = ",".join(unknown) if found else repr(asked)
        refuse("--parts", refused, f"among {', '.join(known)}")
    return found


def _in_folder(path: Path, folder: Path, option: str) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".mmc-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as e:
        raise InputError(
            f"{option} {path}: cannot write to {folder} ({_why(folder, e)}); "
            "choose a folder that you may write to"
        ) from e
    return path


def _why(folder: Path, error: OSError) -> str:
    return "not a folder" if folder.exists() and not folder.is_dir() else f"{error.strerror}"


def _pair(item: str, option: str, example: str) -> tuple[str, str]:
    name, equals, value = item.partition("=")
    if not equals:
        raise InputError(f"{option} {item}: needed NAME=VALUE, such as {example}")
    if name not in MODALITIES:
        raise InputError(
            f"{option} {item}: there is no modality {name!r}; choose from {', '.join(MODALITIES)}"
        )
    return name, value


def refuse(option: str, value: object, needed: str) -> NoReturn:
    """Raises the InputError for a value out of range."""
    raise InputError(f"{option} {value}: needed a value {needed}")
