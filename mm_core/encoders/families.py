"""The table of every encoder, and the way from a folder to the one that runs it.

A row stands beside the code it loads; a new file of rows is one line in FILES. More particular
rows stand before those that take any folder of a model type. Nothing here imports transformers.
"""

import importlib.metadata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from ..errors import InputError, MMError
from . import anything, depth, image, pose_estimation, segment, sound, text, video
from .encoder import Encoder, Kind
from .family import Family
from .folder import Reads, check_reader, read_config
from .library import release
from .person import CLASSES as DETECTORS

FILES: tuple[tuple[Family, ...], ...] = (
    text.FAMILIES,
    image.FAMILIES,
    sound.FAMILIES,
    video.FAMILIES,
    depth.FAMILIES,
    pose_estimation.FAMILIES,
    segment.FAMILIES,
    anything.FAMILIES,
)
FAMILIES: tuple[Family, ...] = tuple(family for rows in FILES for family in rows)
READS: dict[Kind, Reads] = {"text": "text", "audio": "sound"}  # all others read pictures


def find_family(config: Mapping[str, Any], kind: Kind | None = None) -> Family:
    """The row for a folder's config.json. kind: of input, needed where a folder serves for several.

    Raises InputError naming what the folder holds and what is known.
    """
    fitting = families_of(config)
    kinds = list(dict.fromkeys(family.kind for family in fitting))
    if kind is not None and kind not in kinds:
        raise InputError(
            f"this folder is an encoder of {' or '.join(kinds)} ({fitting[0].name}), "
            f"needed one of {kind}; choose another folder"
        )
    if kind is None and len(kinds) > 1:
        raise InputError(
            f"this folder serves for {' and '.join(kinds)}; say which of them is to be encoded"
        )
    return next(family for family in fitting if kind in (None, family.kind))


def families_of(config: Mapping[str, Any]) -> list[Family]:
    """Every row that opens the folder, the most particular first of each kind, or InputError."""
    fitting = [family for family in FAMILIES if family.fits(config)]
    if fitting:
        return fitting
    found = config.get("model_type")
    if isinstance(found, str) and found in DETECTORS:
        raise InputError(
            f"config.json says model_type {found!r}, a detector of people, which is no encoder "
            "alone; choose a pose model, and give it this folder as its detector"
        )
    custom = ", and its own code (auto_map) is never run" if "auto_map" in config else ""
    known = sorted({name for family in FAMILIES for name in family.model_types})
    named = [a for a in config.get("architectures") or () if isinstance(a, str)]
    saved = f" saved as {', '.join(named)}" if found in known and named else ""
    raise InputError(
        f"config.json says model_type {found!r}{saved}, which no encoder here reads{custom}; "
        f"choose a model of one of: {', '.join(known)}"
    )


def load_encoder(
    folder: Path,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    kind: Kind | None = None,
) -> Encoder:
    """The encoder in a folder, ready to be called. Raises InputError or WeightsError.

    kind: of input, where the folder serves for several. An encoder of pictures is one of video,
    too, frame by frame.
    """
    config = read_config(folder)
    kinds = {family.kind for family in families_of(config)}
    frames = kind == "video" and "image" in kinds and "video" not in kinds
    family = find_family(config, "image" if frames else kind)
    if missing := list(_lacking(family)):
        names = " ".join(said.split()[0].rstrip(",") for said in missing)
        raise InputError(
            f"{folder}: {family.name} needs {' and '.join(missing)}; run pip install --upgrade "
            f"{names}"
        )
    encoder = family.load(folder.absolute(), family, dtype)  # so that "." has a name, too
    encoder.module.to(device)
    return video.FrameEncoder(encoder) if frames else encoder


def about(folder: Path) -> str:
    """What a folder is and is good for, or why it cannot be used. Loads no weights."""
    try:
        config = read_config(folder)
        fitting = families_of(config)
    except MMError as e:
        return f"cannot be used: {e}"
    first: dict[Kind, Family] = {}
    for family in fitting:
        first.setdefault(family.kind, family)
    custom = "; its own code (auto_map) is not run" if "auto_map" in config else ""
    return " | ".join(_said(family, folder) for family in first.values()) + custom


def _said(family: Family, folder: Path) -> str:
    if missing := list(_lacking(family)):
        return f"{family.name} cannot be used: needs {' and '.join(missing)}"
    try:
        check_reader(READS.get(family.kind, "picture"), folder)
    except InputError as e:
        return f"{family.name} cannot be used: {e}"
    return f"{family.name}: {family.kind} -> {family.gives}; good for {family.good_for}"


def _lacking(family: Family) -> Iterator[str]:
    """Packages that are not there, or are too old."""
    for name in ("transformers", *family.extras):
        needed = family.since if name == "transformers" else ""
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield f"{name}, which is not installed"
            continue
        if needed and release(found) < release(needed):
            yield f"{name} {needed} or later, found {found}"
