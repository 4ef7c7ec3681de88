"""Fits the text tower: sentences near the image embeddings they belong to, which stay fixed.

Source: Zhai et al. 2022 (LiT, a locked image tower), arXiv 2111.07991.
"""

import math
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from ...embedded.prior import TextTower
from ...fusion.contrastive import contrastive
from ...types import Bool, Tensor, Tokens
from ..embedded.config import Stage
from ..embedded.loop import Report, Trainer
from .finite import check_finite

TEMPERATURE = 0.07  # that the fit starts with

TowerBatch = Callable[[int, int], tuple[Tokens, Tensor, Tensor]]
"""(step, size) -> word tokens of the embedded model, their mask, and image embeddings."""


class Towers(nn.Module):
    """The tower and the logarithm of its inverse temperature."""

    def __init__(self, tower: TextTower):
        super().__init__()
        self.tower = tower
        self.log_scale = nn.Parameter(torch.tensor(-math.log(TEMPERATURE)))

    def forward(self, tokens: Tokens, mask: Bool[Tensor, "b n"], vectors: Tensor) -> Tensor:
        """The contrastive loss of a batch."""
        sentence = self.tower(tokens, mask).pooled
        return contrastive(
            F.normalize(sentence, dim=-1), F.normalize(vectors, dim=-1), self.log_scale
        )


def fit_tower(
    batch: TowerBatch, layers: int, stage: Stage, seed: int, path: Path, report: Report
) -> TextTower:
    """path: where the state is kept; a stopped fit goes on from it.

    Raises InputError for a training that diverged.
    """
    torch.manual_seed(seed)
    both = Towers(TextTower(layers))

    def step_loss(step: int, spent: float) -> Tensor:
        return both(*batch(step, stage.batch))

    Trainer(both, stage.schedule(), stage.budget(), path, report).run(step_loss)
    check_finite(both, stage.rate)
    return both.tower.eval().requires_grad_(False)
