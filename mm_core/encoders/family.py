"""One row of the table of encoders: which folders it opens, what comes out, what that is for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from .encoder import Encoder, Kind


@dataclass(frozen=True)
class Family:
    """Models that one adapter runs.

    model_types: of config.json. class_name: of transformers. gives: what comes out; unit: in which
    unit, or how it is scaled. good_for: what one takes it for. load: opens a folder, as
    load(folder, family, dtype). architectures: where not empty, config.json must name one of them.
    since: the first release of transformers with it, where later than 4.50. extras: packages that
    its preprocessing needs beyond transformers; ComfyUI brings them.
    """

    name: str
    kind: Kind
    model_types: tuple[str, ...]
    class_name: str
    gives: str
    unit: str
    good_for: str
    load: "Loader" = field(repr=False)
    architectures: tuple[str, ...] = ()
    since: str = ""
    extras: tuple[str, ...] = ()

    def fits(self, config: Mapping[str, Any]) -> bool:
        """Whether this row opens a folder with this config.json."""
        named = config.get("architectures") or ()
        told = not self.architectures or any(a in self.architectures for a in named)
        return told and config.get("model_type") in self.model_types


Loader = Callable[[Path, Family, torch.dtype], Encoder]
