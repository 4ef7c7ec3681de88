"""FiLM: the other inputs scale and shift the channels of the base."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import torch
from torch import nn

from ..types import Float, ModalityEmbedding, Tensor
from .align import Align
from .attention import start_at_zero
from .block import Fused, FusionBlock, adjusted
from .config import FusionConfig, check_whole
from .inputs import Parts, by_modality, with_stand_in
from .pooling import mean_of_inputs


@dataclass(frozen=True)
class FilmConfig(FusionConfig):
    """hidden: width of the layer between what is heard and the numbers that modulate."""

    hidden: int = 128

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(hidden=self.hidden)


class Modulation(nn.Module):
    """Inputs -> `count` numbers for each channel, all 0 at first."""

    def __init__(self, config: FilmConfig, count: int, ops: ModuleType = nn):
        super().__init__()
        self.count = count
        widths = {n: config.widths[n] for n in config.others}
        self.align = Align(widths, config.width, ops)
        self.body = nn.Sequential(
            ops.Linear(config.width, config.hidden),
            nn.SiLU(),
            ops.Linear(config.hidden, count * config.width),
        )
        start_at_zero(self.body[-1])

    def forward(self, others: Parts) -> tuple[Float[Tensor, "b 1 d"], ...]:
        """0 in samples that have none of these inputs."""
        vector, anything = mean_of_inputs(self.align(others))
        said = self.body(vector) * anything[:, None]
        return said[:, None].chunk(self.count, -1)


class FiLM(FusionBlock):
    """(1 + gamma) x + beta for each channel of the base x, gamma and beta from the other inputs.

    A new block is the base, bit for bit; so is any block in samples that have the base alone.
    Source: Perez et al. 2017, arXiv 1709.07871, with gamma counted from 1.
    """

    config: FilmConfig

    def __init__(self, config: FilmConfig, ops: ModuleType = nn):
        super().__init__()
        self.config = config
        self.modulation = Modulation(config, 2, ops)
        self.stand_in = nn.Parameter(torch.zeros(config.width))

    def forward(self, embeddings: Sequence[ModalityEmbedding]) -> Fused:
        parts = by_modality(embeddings, self.config)
        base = with_stand_in(parts, self.config.base, self.stand_in)
        others = {name: part for name, part in parts.items() if name != base.modality}
        if not others:
            return Fused(base)
        gamma, beta = self.modulation(others)
        return adjusted(base, base.tokens * (1 + gamma) + beta, parts)
