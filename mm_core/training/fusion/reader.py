"""Fits a fusion block to what a scene shows: its first object from the words, its ground from the
style picture. A block that uses both inputs does worse without either."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from ...embedded.scenes.attributes import COLORS, FAMILIES, SHAPES
from ...embedded.scenes.content import Content
from ...embedded.scenes.style import Style
from ...fusion.block import FusionBlock
from ...fusion.kinds import build
from ...fusion.resampler import Resampler
from ...types import Float, ModalityEmbedding, Tensor
from ..embedded.loop import Budget, Report, Schedule, Trainer
from .inputs import Inputs, batch_of

BATCH = 64
DROP = 0.15  # of each input by itself, so that the losses without one are of a block that knows it
SCHEDULE = Schedule(3e-3, warmup=10, decay=0.7, average=0.98)
PARTS = [len(COLORS), len(SHAPES), len(FAMILIES), 6]


class Reader(nn.Module):
    """A fusion block, and a few latents that read the tokens it gives, as a denoiser's attention
    would."""

    LATENTS = 4

    def __init__(self, block: FusionBlock):
        super().__init__()
        self.block = block
        width = block.config.width
        self.latents = Resampler(width, self.LATENTS, layers=1, heads=4)
        self.head = nn.Linear(self.LATENTS * width, sum(PARTS))

    def forward(self, embeddings: list[ModalityEmbedding]) -> Float[Tensor, "b answers"]:
        fused = self.block(embeddings).embedding
        return self.head(self.latents(fused.tokens, fused.mask).flatten(1))


def reading_loss(
    answers: Float[Tensor, "b answers"], content: Content, look: Style
) -> Float[Tensor, ""]:
    """Cross-entropies of colour and shape of the first object, where there is one, and of the
    texture's family, plus the palette's error."""
    color, shape, family, palette = answers.split(PARTS, 1)
    there = content.has[:, 0].float()
    wrong = F.cross_entropy(color, content.color[:, 0], reduction="none")
    wrong = wrong + F.cross_entropy(shape, content.shape[:, 0], reduction="none")
    return (
        (wrong * there).sum() / there.sum().clamp(min=1)
        + F.cross_entropy(family, look.family)
        + 4 * (palette.sigmoid() - look.palette()).abs().mean()
    )


def fit_reader(
    inputs: Inputs,
    kind: str,
    budget: Budget,
    path: Path,
    report: Report,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> Reader:
    """A block of one kind and its reader. path: where the state is kept, as in fit_joint."""
    torch.manual_seed(seed)
    widths = {e.modality: e.tokens.shape[-1] for e in (inputs.text, inputs.style)}
    reader = Reader(build(kind, {"widths": widths, **(settings or {})}))

    def step_loss(step: int, spent: float) -> Tensor:
        batch = batch_of(inputs, BATCH, step)
        given = [dropped(e, step, k) for k, e in enumerate((batch.text, batch.style))]
        return reading_loss(reader(given), batch.content, batch.look)

    Trainer(reader, SCHEDULE, budget, path, report).run(step_loss)
    return reader


def dropped(e: ModalityEmbedding, step: int, which: int) -> ModalityEmbedding:
    """Without the input in some of the samples, the same ones for the same step."""
    rng = torch.Generator().manual_seed(2 * step + which)
    kept = torch.rand(len(e.mask), 1, generator=rng) >= DROP
    return ModalityEmbedding(e.modality, e.tokens, e.mask & kept)


@torch.no_grad()
def losses(reader: Reader, inputs: Inputs) -> dict[str, float]:
    """With both inputs, without text, and without style."""
    given = {
        "both": [inputs.text, inputs.style],
        "without text": [inputs.style],
        "without style": [inputs.text],
    }
    return {
        name: reading_loss(reader(embeddings), inputs.content, inputs.look).item()
        for name, embeddings in given.items()
    }
