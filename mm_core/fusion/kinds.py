"""The kinds of fusion block, by the name that a file gives them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from torch import nn

from ..errors import InputError
from .adaln import AdaLN
from .block import FusionBlock
from .concat import TypedConcat
from .config import FusionConfig
from .congruence import CongruenceConfig, CongruenceGate
from .film import FiLM, FilmConfig
from .flamingo import Flamingo, FlamingoConfig
from .gated import GatedConfig, GatedFusion
from .joint import JointConfig, JointSpace
from .mutual import MutualAttention, MutualConfig
from .resampler import ResamplerConfig, ResamplerFusion


@dataclass(frozen=True)
class Kind:
    """What settings a block takes, and what builds it from them and from a host's layers."""

    config: type[FusionConfig]
    block: Callable[[Any, ModuleType], FusionBlock]


KINDS: dict[str, Kind] = {
    "concat": Kind(FusionConfig, TypedConcat),
    "gated": Kind(GatedConfig, GatedFusion),
    "mutual": Kind(MutualConfig, MutualAttention),
    "flamingo": Kind(FlamingoConfig, Flamingo),
    "film": Kind(FilmConfig, FiLM),
    "adaln": Kind(FilmConfig, AdaLN),
    "resampler": Kind(ResamplerConfig, ResamplerFusion),
    "joint": Kind(JointConfig, JointSpace),
    "congruence": Kind(CongruenceConfig, CongruenceGate),
}


def build(kind: str, settings: Mapping[str, Any], ops: ModuleType = nn) -> FusionBlock:
    """A new block. Raises InputError for an unknown kind, and for settings that it cannot have."""
    if kind not in KINDS:
        raise InputError(f"there is no fusion block {kind!r}; choose one of {', '.join(KINDS)}")
    try:
        config = KINDS[kind].config(**settings)
    except TypeError as e:
        raise InputError(f"the fusion block {kind!r} cannot have these settings: {e}") from e
    return KINDS[kind].block(config, ops)


def kind_of(block: FusionBlock) -> str:
    """The name of a block's kind."""
    return next(name for name, kind in KINDS.items() if kind.block is type(block))
