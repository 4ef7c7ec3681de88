"""Pairs with a known answer: the image embedding is a turned sentence, and some noise."""

import pytest
import torch

DIM, WORDS = 8, 4


@pytest.fixture
def quiet():
    return lambda line: None


@pytest.fixture(scope="session")
def turned():
    """(pairs, rotation): image = rotation * sentence + noise of a tenth."""
    from mm_core.priors.prior import PriorText
    from mm_core.training.priors.pairs import Pairs

    rng = torch.Generator().manual_seed(0)
    rotation = torch.linalg.qr(torch.randn(DIM, DIM, generator=rng))[0]
    pooled = torch.randn(512, DIM, generator=rng)
    tokens = pooled[:, None].expand(-1, WORDS, -1).contiguous()
    vectors = pooled @ rotation + 0.1 * torch.randn(512, DIM, generator=rng)
    text = PriorText(pooled, tokens, torch.ones(512, WORDS, dtype=torch.bool))
    nothing = PriorText(
        torch.zeros(1, DIM), torch.zeros(1, WORDS, DIM), torch.ones(1, WORDS, dtype=torch.bool)
    )
    return Pairs(text, vectors, nothing), rotation


@pytest.fixture(scope="session")
def small():
    """A recipe of seconds."""
    from mm_core.training.embedded.config import Stage
    from mm_core.training.priors.config import Network, PriorRecipe

    return PriorRecipe(
        scenes=256,
        diffusion_network=Network(32, 2, 1),
        autoregressive_network=Network(32, 2, 1, codes=8, buckets=32),
        soft=0.7,
        tower=Stage(16, 3, 1e-3),
        diffusion=Stage(64, 150, 1e-2, average=0.95, optimizer="muon"),
        autoregressive=Stage(64, 150, 1e-2, average=0.95, optimizer="muon"),
    )
