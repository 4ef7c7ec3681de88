"""Reads safetensors and refuses what does not fit: header first, every difference named."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import nn

from ..errors import WeightsError
from ..types import Tensor
from .command import command
from .header import Header, unpack

PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
ALIKE = re.compile(r"(\w*_)?model([-.].*)?\.(safetensors|bin|pt|pth|ckpt)")
SHOWN = 4  # differences named in a message before it says how many more there are


def named(path: Path) -> str:
    """A file's name for messages; with its folder where files of that name are in every one."""
    return f"{path.parent.name}/{path.name}" if ALIKE.fullmatch(path.name) else path.name


def read_weights(path: Path, kind: str, version: int) -> tuple[dict[str, Tensor], Header]:
    """All tensors of a file of ours, and its header.

    Raises WeightsError if the file is missing, pickled, not safetensors, or of another kind or
    version.
    """
    with _opened(path) as file:
        header = unpack(file.metadata(), named(path))
        if header is None:
            raise WeightsError(
                f"{named(path)} has no header of this pack; needed a file of kind {kind!r}"
            )
        check_header(header, kind, version, named(path))
        return {name: file.get_tensor(name) for name in file.keys()}, header  # noqa: SIM118


def check_header(header: Header, kind: str, version: int, source: str) -> None:
    """WeightsError unless the header is of this kind and version."""
    if (header.kind, header.version) != (kind, version):
        raise WeightsError(
            f"{source} is of kind {header.kind!r:.60}, version {header.version}; "
            f"needed kind {kind!r}, version {version}"
        )


def read_foreign(path: Path, names: Collection[str] | None = None) -> dict[str, Tensor]:
    """All tensors of a file that others made, or those of these names.

    Raises WeightsError if the file is missing, pickled or not safetensors.
    """
    with _opened(path) as file:
        return {name: file.get_tensor(name) for name in names or file.keys()}


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The same file's shapes, from its header alone."""
    with _opened(path) as file:
        return {n: tuple(file.get_slice(n).get_shape()) for n in file.keys()}  # noqa: SIM118


def read_kinds(path: Path) -> dict[str, str]:
    """What its tensors' numbers are, such as F16, from its header alone."""
    with _opened(path) as file:
        return {n: str(file.get_slice(n).get_dtype()) for n in file.keys()}  # noqa: SIM118


def read_header(path: Path) -> Header | None:
    """The header of a file of ours; None for a file that others made.

    Raises WeightsError where it is damaged.
    """
    with _opened(path) as file:
        return unpack(file.metadata(), named(path))


def fill(module: nn.Module, tensors: dict[str, Tensor], source: str) -> None:
    """Fills module with exactly these tensors, or raises WeightsError and leaves it as it was."""
    check_shapes(module, {name: tuple(t.shape) for name, t in tensors.items()}, source)
    module.load_state_dict(tensors)


def check_shapes(module: nn.Module, have: dict[str, tuple[int, ...]], source: str) -> None:
    """WeightsError naming every difference unless module has exactly these names and shapes."""
    want = {name: tuple(t.shape) for name, t in module.state_dict().items()}
    if want != have:
        differences = _differences(want, have)
        said = "; ".join(differences[:SHOWN])
        if len(differences) > SHOWN:
            said += f"; and {len(differences) - SHOWN} more"
        raise WeightsError(f"{source} does not fit {type(module).__name__}: {said}")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        _refuse_early(path)
    except OSError as e:
        raise WeightsError(
            f"{named(path)} cannot be read ({e.strerror or e}); needed a file that you may read: "
            "change its permissions, or copy it again"
        ) from e
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except SafetensorError as e:
        _refuse_renamed(path)
        said = " ".join(str(e).split())[:160]
        raise WeightsError(
            f"{named(path)} is truncated or not a safetensors file ({said}); download or make it "
            "again"
        ) from e


def _refuse_early(path: Path) -> None:
    if not path.is_file():
        raise WeightsError(f"{path}: found no file; check the path")
    if path.suffix.lower() in PICKLED:
        raise WeightsError(
            f"{named(path)} is a pickled file, which can run code when it is opened; "
            f"needed .safetensors: run {command('convert', path)}"
        )
    if not path.stat().st_size:
        raise WeightsError(f"{named(path)} is empty; download it again")
    refuse_web_page(path)


def _refuse_renamed(path: Path) -> None:
    """WeightsError for a pickled file under the name of another. Not by its start alone: a good
    file's starts with the length of its header, which may be any number."""
    with path.open("rb") as file:
        start = file.read(9)
    if start.startswith(b"PK\x03\x04") or (start[:1] == b"\x80" and start[8:] != b"{"):
        pickled = path.with_suffix(PICKLED[1])
        raise WeightsError(
            f"{named(path)} is a pickled file under another name, which can run code when it is "
            f"opened; needed safetensors: rename it to {pickled.name} and run "
            f"{command('convert', pickled)}"
        )


def refuse_web_page(path: Path) -> None:
    """WeightsError if someone saved the page around a download instead of the file, or what stands
    for it in a repository."""
    with path.open("rb") as file:
        start = file.read(512).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(b"version https://git-lfs"):
        raise WeightsError(
            f"{named(path)} is a pointer of git-lfs, not the file it stands for; download the file "
            "itself, or run git lfs pull"
        )
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<!--")):
        raise WeightsError(
            f"{named(path)} is a web page saved as weights; download the file itself, "
            "for example with the page's download button"
        )


def _differences(want: dict[str, tuple[int, ...]], have: dict[str, tuple[int, ...]]) -> list[str]:
    missing = [f"missing {name}" for name in sorted(want.keys() - have.keys())]
    extra = [f"unexpected {name}" for name in sorted(have.keys() - want.keys())]
    both = sorted(want.keys() & have.keys())
    shapes = [f"{n} is {have[n]}, expected {want[n]}" for n in both if want[n] != have[n]]
    return missing + extra + shapes
