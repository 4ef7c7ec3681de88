"""Reads safetensors and refuses what does not fit: header first, every difference named."""

from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import nn

from ..errors import WeightsError
from ..types import Tensor
from .header import Header, unpack

PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
SHOWN = 4  # differences named in a message before it says how many more there are


def read_weights(path: Path, kind: str, version: int) -> tuple[dict[str, Tensor], Header]:
    """All tensors of a file of ours, and its header.

    Raises WeightsError if the file is missing, pickled, not safetensors, or of another kind or
    version.
    """
    _refuse_early(path)
    try:
        with safe_open(path, framework="pt") as file:
            header = unpack(file.metadata())
            if header is None:
                raise WeightsError(
                    f"{path.name} has no header of this pack; needed a file of kind {kind!r}"
                )
            if (header.kind, header.version) != (kind, version):
                raise WeightsError(
                    f"{path.name} is of kind {header.kind!r}, version {header.version}; "
                    f"needed kind {kind!r}, version {version}"
                )
            return {name: file.get_tensor(name) for name in file.keys()}, header  # noqa: SIM118
    except SafetensorError as e:
        raise WeightsError(
            f"{path.name} is truncated or not a safetensors file ({e}); download or make it again"
        ) from e


def fill(module: nn.Module, tensors: dict[str, Tensor], source: str) -> None:
    """Fills module with exactly these tensors, or raises WeightsError and leaves it as it was."""
    want = {name: tuple(t.shape) for name, t in module.state_dict().items()}
    have = {name: tuple(t.shape) for name, t in tensors.items()}
    if want != have:
        differences = _differences(want, have)
        said = "; ".join(differences[:SHOWN])
        if len(differences) > SHOWN:
            said += f"; and {len(differences) - SHOWN} more"
        raise WeightsError(f"{source} does not fit {type(module).__name__}: {said}")
    module.load_state_dict(tensors)


def _refuse_early(path: Path) -> None:
    if not path.is_file():
        raise WeightsError(f"{path}: found no file; check the path")
    if path.suffix.lower() in PICKLED:
        raise WeightsError(
            f"{path.name} is a pickled file, which can run code when it is opened; "
            "needed .safetensors: convert it with a tool you trust"
        )
    with path.open("rb") as file:
        start = file.read(512).lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        raise WeightsError(
            f"{path.name} is a web page saved as weights; download the file itself, "
            "for example with the page's download button"
        )


def _differences(want: dict[str, tuple[int, ...]], have: dict[str, tuple[int, ...]]) -> list[str]:
    missing = [f"missing {name}" for name in sorted(want.keys() - have.keys())]
    extra = [f"unexpected {name}" for name in sorted(have.keys() - want.keys())]
    both = sorted(want.keys() & have.keys())
    shapes = [f"{n} is {have[n]}, expected {want[n]}" for n in both if want[n] != have[n]]
    return missing + extra + shapes
