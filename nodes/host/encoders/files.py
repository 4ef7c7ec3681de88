"""Folders of transformers models in ComfyUI's models/mmc_encoders."""

from pathlib import Path

import folder_paths
import torch

from ....mm_core.encoders.families import about, load_encoder
from ....mm_core.encoders.pose_estimation import with_detector
from ....mm_core.errors import InputError
from .. import folders
from ..changed import stamp
from .encoder import NODES, HostEncoder, host_encoder

FOLDER = "mmc_encoders"
CONFIG = "config.json"
DEEP = 2  # folders below models/mmc_encoders: <name>, or <maker>/<name>
AUTO, NONE = "auto", "none"
KINDS = (AUTO, *NODES)
PRECISIONS = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}


def register_folder() -> None:
    folders.register(FOLDER, (".safetensors",))


def names() -> list[str]:
    """The folders that hold a config.json, as <name> or <maker>/<name>."""
    return sorted(_found())


def load(
    name: str,
    kind: str = AUTO,
    precision: str = "float32",
    detector: str = NONE,
    disable_dynamic: bool = False,
) -> HostEncoder:
    """detector: a second folder, that finds people for an encoder of poses.

    Raises InputError or WeightsError, in one sentence, for a folder that is no encoder.
    """
    folder = folder_of(name)
    encoder = load_encoder(folder, PRECISIONS[precision], "cpu", None if kind == AUTO else kind)
    if detector != NONE:
        encoder = _looking(encoder, folder_of(detector))
    said = f"{about(folder)}\n{encoder.name}: takes {encoder.needs}"
    if encoder.width is not None:
        said += f"; gives tokens {encoder.width} wide"
    arguments = (name, kind, precision, detector)
    return host_encoder(encoder, _reload, arguments, said, disable_dynamic)


def stamp_of(name: str, detector: str = NONE) -> str:
    """Changes when a file of either folder does."""
    found = _found()
    there = [found[n] for n in (name, detector) if n in found]
    return stamp(path for folder in there for path in sorted(folder.iterdir()))


def folder_of(name: str) -> Path:
    """A folder by its name. Only those listed are opened, so that none outside can be named."""
    found = _found()
    if name not in found:
        raise InputError(
            f"there is no encoder {name!r} in models/{FOLDER}; choose one of "
            f"{', '.join(sorted(found)) or 'none: put a model folder with its config.json there'}"
        )
    return found[name]


def _found() -> dict[str, Path]:
    """A few directory listings, so that a schema may ask whenever it is asked for."""
    table: dict[str, Path] = {}
    for base in folder_paths.get_folder_paths(FOLDER):
        for folder in _below(Path(base), DEEP):
            table.setdefault(folder.relative_to(base).as_posix(), folder)
    return table


def _below(base: Path, deep: int):
    if deep == 0 or not base.is_dir():
        return
    for folder in base.iterdir():
        if folder.name.startswith(".") or not folder.is_dir():
            continue
        if (folder / CONFIG).is_file():
            yield folder
        else:
            yield from _below(folder, deep - 1)


def _looking(encoder, folder: Path):
    if encoder.kind != "pose":
        raise InputError(
            f"{encoder.name} is an encoder of {encoder.kind}, which needs no detector of people: "
            f"set detector to {NONE}"
        )
    return with_detector(encoder, folder)


def _reload(name: str, kind: str, precision: str, detector: str, disable_dynamic: bool = False):
    return load(name, kind, precision, detector, disable_dynamic).patcher
