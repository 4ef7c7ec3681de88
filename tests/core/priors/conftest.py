"""Tiny priors with random weights, and texts for them."""

import pytest
import torch

DIM, WORDS = 24, 7


@pytest.fixture
def texts():
    """texts(3) are three random texts with a padded end each; the same for the same seed."""
    from mm_core.priors.prior import PriorText

    def make(count, seed=0, dim=DIM, words=WORDS):
        rng = torch.Generator().manual_seed(seed)
        real = torch.randint(2, words + 1, (count, 1), generator=rng)
        return PriorText(
            torch.randn(count, dim, generator=rng),
            torch.randn(count, words, dim, generator=rng),
            torch.arange(words)[None] < real,
        )

    return make


@pytest.fixture
def stir():
    """Random weights of a size that lets every tensor matter."""

    def stirred(module, seed=0):
        rng = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, value in module.state_dict().items():
                drawn = torch.randn(value.shape, generator=rng)
                if name.endswith(("clip_std", "reach")):
                    value.copy_(0.5 + drawn.abs())
                elif name.endswith(("norm1.weight", "norm3.weight", ".g")):
                    value.copy_(1 + 0.1 * drawn)
                elif value.ndim > 1:
                    value.copy_(drawn * value.shape[-1] ** -0.5)
                else:
                    value.copy_(0.2 * drawn)
        return module.eval()

    return stirred


@pytest.fixture
def network(stir):
    from mm_core.priors.transformer import PriorTransformer, Sizes

    return stir(PriorTransformer(Sizes(DIM, 64, 4, 2, WORDS)))


@pytest.fixture
def diffusion(network):
    from mm_core.priors.diffusion import DiffusionPrior
    from mm_core.priors.space import Space

    return DiffusionPrior(network, Space("a small CLIP", DIM))


@pytest.fixture
def laion(stir):
    from mm_core.priors.dalle2 import Dalle2Network, Dalle2Sizes
    from mm_core.priors.laion import LaionPrior
    from mm_core.priors.space import Space
    from mm_core.priors.unclip import cosine_table

    net = stir(Dalle2Network(Dalle2Sizes(DIM, 2, 3, 16, WORDS, 50, 16, 4 * DIM)))
    return LaionPrior(net, Space("a small CLIP", DIM), cosine_table(50, torch.float64))


@pytest.fixture
def autoregressive(stir):
    from mm_core.priors.autoregressive import ARSizes, AutoregressivePrior, CodeTransformer
    from mm_core.priors.space import Space

    net = stir(CodeTransformer(ARSizes(DIM, 32, 2, 2, WORDS, codes=5, buckets=16)))
    net.leave.weight.data.mul_(5)
    net.dots.copy_(torch.linspace(-1, 3, len(net.dots)))
    net.basis.copy_(torch.linalg.qr(net.basis)[0])
    return AutoregressivePrior(net, Space("a small CLIP", DIM))
