"""Embeddings with padding, and blocks whose every weight says something."""

import pytest
import torch

WIDTHS = {"text": 8, "style": 8, "audio": 8}


@pytest.fixture
def embed(noise):
    """embed("text", 2, 3, 8) draws an embedding; real: how many tokens of each sample are real."""
    from mm_core.types import ModalityEmbedding

    def draw(name, b, n, d, real=None, **kind):
        mask = torch.ones(b, n, dtype=torch.bool)
        if real is not None:
            mask = torch.arange(n) < torch.tensor(real)[:, None]
        return ModalityEmbedding(name, noise(b, n, d, **kind), mask)

    return draw


@pytest.fixture
def three(embed):
    """Two samples; every input has padding in one of them, and audio is not there in the second."""
    return [
        embed("text", 2, 5, 8, (5, 3)),
        embed("style", 2, 4, 8, (2, 4)),
        embed("audio", 2, 3, 8, (2, 0)),
    ]


@pytest.fixture
def make():
    """make("gated", heads=2) builds a small block with seeded weights."""
    from mm_core.fusion.kinds import build

    def new(kind, **settings):
        torch.manual_seed(0)
        return build(kind, {"widths": WIDTHS, **settings})

    return new


@pytest.fixture
def stirred(rng):
    """The same block with every weight away from where it starts."""

    def stir(block, spread=0.4):
        with torch.no_grad():
            for parameter in block.parameters():
                parameter.add_(torch.randn(parameter.shape, generator=rng) * spread)
        return block

    return stir


@pytest.fixture
def real():
    """The real tokens of one sample, (n, d)."""
    return lambda embedding, sample=0: embedding.tokens[sample, embedding.mask[sample]]
