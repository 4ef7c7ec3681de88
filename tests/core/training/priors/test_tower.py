"""The text tower finds the images that its texts belong to."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from mm_core.errors import InputError
from mm_core.fusion.contrastive import top_1
from mm_core.training.embedded.config import Stage
from mm_core.training.priors.tower import fit_tower


def test_a_short_fit_brings_sentences_to_their_images(quiet, tmp_path):
    rng = torch.Generator().manual_seed(0)
    tokens = torch.randn(128, 5, 128, generator=rng)
    mask = torch.ones(128, 5, dtype=torch.bool)
    vectors = tokens.mean(1) @ torch.linalg.qr(torch.randn(128, 128, generator=rng))[0]

    def batch(step, size):
        index = torch.randperm(128, generator=torch.Generator().manual_seed(step))[:size]
        return tokens[index], mask[index], vectors[index]

    stage = Stage(64, 80, 3e-3, average=0.9, optimizer="muon")
    tower = fit_tower(batch, 1, stage, 0, tmp_path / "a.safetensors", quiet)
    with torch.no_grad():
        sentence = F.normalize(tower(tokens, mask).pooled, dim=1)
    found, _ = top_1(sentence, F.normalize(vectors, dim=1))
    assert found > 0.5  # by chance 1 of 128
    assert not any(p.requires_grad for p in tower.parameters())
    wild = replace(stage, steps=2, rate=1e38, optimizer="adamw")
    with pytest.raises(InputError, match="the training diverged: "):
        fit_tower(batch, 1, wild, 0, tmp_path / "b.safetensors", quiet)
