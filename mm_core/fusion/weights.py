"""Files of fitted fusion blocks."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from ..errors import InputError, WeightsError
from ..weights.header import Header
from ..weights.load import fill, named, read_weights
from ..weights.save import save_tensors
from .block import FusionBlock
from .kinds import build, kind_of

KIND, VERSION = "fusion", 1


def load_fusion(path: Path, ops: ModuleType = nn) -> tuple[FusionBlock, Header]:
    """The block on the CPU, ready to use, and the file's header.

    Raises WeightsError for a file that is not one, or of a block that this version cannot build.
    """
    tensors, header = read_weights(path, KIND, VERSION)
    try:
        kind, settings = header.config["block"], header.config["settings"]
        plain, block = build(kind, settings), build(kind, settings, ops)
    except (KeyError, TypeError, InputError) as e:
        raise WeightsError(
            f"{named(path)} describes no fusion block that can be built here ({e}); "
            "update the pack, or fit the block again"
        ) from e
    fill(plain, tensors, named(path))  # layers of other ops may have no weights to compare with yet
    block.load_state_dict(plain.state_dict(), assign=True)
    return block.eval().requires_grad_(False), header


def save_fusion(
    block: FusionBlock,
    path: Path,
    recipe: Mapping[str, Any] | None = None,
    figures: Mapping[str, Any] | None = None,
) -> None:
    """Writes the block as it is, with its kind and settings in the header."""
    config = {"block": kind_of(block), "settings": asdict(block.config)}
    header = Header(KIND, VERSION, config, dict(recipe or {}), dict(figures or {}))
    save_tensors({n: t.detach() for n, t in block.state_dict().items()}, path, header)
