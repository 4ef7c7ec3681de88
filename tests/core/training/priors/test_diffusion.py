"""The diffusion prior's loss, its statistics and its start."""

import pytest
import torch

from mm_core.priors.transformer import PriorTransformer, Sizes
from mm_core.priors.unclip import cosine_table
from mm_core.training.priors.diffusion import diffusion_loss, set_statistics, start_weights


def test_a_network_that_tells_zero_loses_the_mean_square(turned):
    pairs, _ = turned
    net = PriorTransformer(Sizes(8, 16, 2, 1, 4))
    set_statistics(net, pairs.vectors)
    torch.nn.init.zeros_(net.proj_to_clip_embeddings.weight)
    torch.nn.init.zeros_(net.proj_to_clip_embeddings.bias)
    rng = torch.Generator().manual_seed(0)
    found = diffusion_loss(net, cosine_table(), pairs.text, pairs.vectors, rng)
    assert found.item() == pytest.approx(1.0, rel=5e-3)  # the statistics make it so


def test_the_loss_is_that_of_the_clean_embedding(turned):
    """Equation 2, with a stand-in that gives back what it is given."""
    pairs, _ = turned
    seen = []

    class Echo(PriorTransformer):
        def forward(self, x, t, text):
            seen.append((x, t))
            return x

    net, table = Echo(Sizes(8, 16, 2, 1, 4)), cosine_table()
    found = diffusion_loss(net, table, pairs.text, pairs.vectors, torch.Generator().manual_seed(3))
    x, t = seen[0]
    assert found.item() == pytest.approx(float((x - pairs.vectors).square().mean()), rel=1e-5)
    kept = table.kept[t.long()][:, None]
    noise = (x - kept.sqrt() * pairs.vectors) / (1 - kept).sqrt()
    late = t > 100  # earlier the noise is too small to be told from rounding
    assert float(noise[late].mean()) == pytest.approx(0, abs=0.06)
    assert float(noise[late].std()) == pytest.approx(1, abs=0.04)
    assert t.min() < 50
    assert t.max() > 950


def test_statistics_are_half_whitened():
    rng = torch.Generator().manual_seed(0)
    vectors = torch.randn(20_000, 3, generator=rng) * torch.tensor([9.0, 4.0, 1.0]) + 5
    net = PriorTransformer(Sizes(3, 4, 1, 1, 2))
    set_statistics(net, vectors)
    normal = net.normalised(vectors)
    assert float(normal.square().mean()) == pytest.approx(1.0, rel=0.02)
    spread = normal.std(0)
    torch.testing.assert_close(spread / spread[2], torch.tensor([3.0, 2.0, 1.0]), rtol=0.05, atol=0)
    torch.testing.assert_close(normal.mean(0), torch.zeros(3), rtol=0, atol=1e-3)


def test_tables_start_small_and_the_same_for_a_seed():
    nets = [PriorTransformer(Sizes(8, 16, 2, 1, 4)) for _ in range(2)]
    for net in nets:
        start_weights(net, 5)
    assert torch.equal(nets[0].positional_embedding, nets[1].positional_embedding)
    assert 0.01 < nets[0].positional_embedding.std().item() < 0.03
