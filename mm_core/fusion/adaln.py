"""Adaptive layer norm: the other inputs scale, shift and gate a feed-forward over the base."""

from collections.abc import Sequence
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import nn

from ..types import ModalityEmbedding
from .block import Fused, FusionBlock, adjusted
from .film import FilmConfig, Modulation
from .inputs import by_modality, with_stand_in


class AdaLN(FusionBlock):
    """x + alpha f((1 + gamma) norm(x) + beta): norm without weights of its own, f a feed-forward.

    gamma, beta and alpha come from the other inputs and start at 0. A new block is the base, bit
    for bit; so is any block in samples that have the base alone.
    Source: Peebles and Xie 2022 (DiT, adaLN-Zero), arXiv 2212.09748.
    """

    config: FilmConfig

    def __init__(self, config: FilmConfig, ops: ModuleType = nn):
        super().__init__()
        self.config = config
        width = config.width
        self.modulation = Modulation(config, 3, ops)
        self.feed = nn.Sequential(
            ops.Linear(width, 4 * width), nn.GELU(), ops.Linear(4 * width, width)
        )
        self.stand_in = nn.Parameter(torch.zeros(width))

    def forward(self, embeddings: Sequence[ModalityEmbedding]) -> Fused:
        parts = by_modality(embeddings, self.config)
        base = with_stand_in(parts, self.config.base, self.stand_in)
        others = {name: part for name, part in parts.items() if name != base.modality}
        if not others:
            return Fused(base)
        gamma, beta, alpha = self.modulation(others)
        normed = F.layer_norm(base.tokens, base.tokens.shape[-1:])
        tokens = base.tokens + alpha * self.feed(normed * (1 + gamma) + beta)
        return adjusted(base, tokens, parts)
