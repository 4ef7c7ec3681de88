"""Gated fusion: each input says how much it should count, given what the others say."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import nn

from ..types import ModalityEmbedding, Tensor
from .align import Align
from .attention import start_at_zero
from .average import mixed, shares, stacked
from .block import Fused, FusionBlock
from .config import FusionConfig, check_whole
from .inputs import Parts, by_modality
from .pooling import mean_of_inputs, mean_token


@dataclass(frozen=True)
class GatedConfig(FusionConfig):
    """per_token: every place has weights of its own; otherwise a sample has one for each input.

    hidden: width of the layer that scores.
    """

    per_token: bool = False
    hidden: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(hidden=self.hidden)


class GatedFusion(FusionBlock):
    """sum_i w_i x_i, place by place, with w the softmax of learned scores; it sums to 1.

    A score hears its own input and the mean over all. Scores start at 0: a new block is `average`.
    Source: Arevalo et al. 2017 (gated multimodal units), arXiv 1702.01992, with a softmax in place
    of two sigmoids, so that any number of inputs can be there.
    """

    config: GatedConfig

    def __init__(self, config: GatedConfig, ops: ModuleType = nn):
        super().__init__()
        self.config = config
        self.align = Align(config.widths, config.width, ops)
        self.own = nn.ModuleDict({n: ops.Linear(config.width, config.hidden) for n in config.names})
        self.all = ops.Linear(config.width, config.hidden, bias=False)
        self.score = nn.ModuleDict({n: ops.Linear(config.hidden, 1) for n in config.names})
        start_at_zero(*self.score.values())

    def forward(self, embeddings: Sequence[ModalityEmbedding]) -> Fused:
        """shares: the mean weight of each input."""
        parts: Parts = self.align(by_modality(embeddings, self.config))
        tokens, real = stacked(list(parts.values()))
        said = self.all(mean_of_inputs(parts)[0])[:, None]
        scores = [F.pad(s, (0, tokens.shape[2] - s.shape[1])) for s in self._scores(parts, said)]
        weights = shares(torch.stack(scores), real)
        return mixed(list(parts.values()), tokens, real, weights)

    def _scores(self, parts: Parts, said: Tensor) -> list[Tensor]:
        out = []
        for name, part in parts.items():
            heard = part.tokens if self.config.per_token else mean_token(part)[:, None]
            score = self.score[name](F.gelu(self.own[name](heard) + said))[..., 0]
            out.append(score.expand(-1, part.tokens.shape[1]))
        return out
