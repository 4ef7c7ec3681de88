"""Fits a joint space of words and pictures, and measures who finds whom."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ...fusion.contrastive import top_1
from ...fusion.inputs import by_modality
from ...fusion.joint import JointConfig, JointSpace
from ..embedded.loop import Budget, Report, Schedule, Trainer
from .inputs import Inputs, batch_of

BATCH = 64
SCHEDULE = Schedule(
    2e-3, warmup=20, decay=0.7, weight_decay=0.05, average=0.98, optimizer="muon"
)  # AdamW needs nearly twice the steps
SETTINGS = {"space": 128, "latents": 8, "layers": 2}


def fit_joint(
    inputs: Inputs,
    budget: Budget,
    path: Path,
    report: Report,
    settings: Mapping[str, Any] = SETTINGS,
    seed: int = 0,
) -> JointSpace:
    """A space in which a caption and its picture are near. path: where the state is kept; a fit
    that was stopped goes on from there."""
    torch.manual_seed(seed)
    widths = {e.modality: e.tokens.shape[-1] for e in (inputs.text, inputs.picture)}
    block = JointSpace(JointConfig(widths, **settings))

    def step_loss(step: int, spent: float) -> torch.Tensor:
        batch = batch_of(inputs, BATCH, step)
        return block.loss([batch.text, batch.picture])

    Trainer(block, SCHEDULE, budget, path, report).run(step_loss)
    return block


@torch.no_grad()
def retrieval(block: JointSpace, inputs: Inputs) -> tuple[float, float]:
    """Share of captions that find their picture first, and of pictures that find their caption."""
    vectors, _ = block.vectors(by_modality([inputs.text, inputs.picture], block.config))
    return top_1(vectors["text"], vectors["picture"])
