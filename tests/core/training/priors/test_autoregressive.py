"""The autoregressive prior's loss, its coding and its start."""

import math

import pytest
import torch
import torch.nn.functional as F

from mm_core.priors.autoregressive import ARSizes, CodeTransformer
from mm_core.training.priors.autoregressive import (
    autoregressive_loss,
    cosines,
    dropped,
    set_coding,
    soft_targets,
    start_tables,
)


@pytest.fixture
def net(turned):
    pairs, _ = turned
    made = CodeTransformer(ARSizes(8, 16, 2, 1, 4, codes=8, buckets=32))
    set_coding(made, pairs.vectors, cosines(pairs.text, pairs.vectors))
    return made


def test_a_network_that_knows_nothing_loses_the_logarithm_of_the_buckets(net, turned):
    pairs, _ = turned
    torch.nn.init.zeros_(net.leave.weight)
    torch.nn.init.zeros_(net.leave.bias)
    dots = cosines(pairs.text, pairs.vectors)
    for soft in (0.0, 2.0):
        found = autoregressive_loss(net, pairs.text, pairs.vectors, dots, soft)
        assert found.item() == pytest.approx(math.log(32), rel=1e-4)


def test_without_softness_the_loss_is_cross_entropy(net, turned):
    pairs, _ = turned
    text, vectors = pairs.rows(torch.arange(16))
    dots = cosines(text, vectors)
    codes = net.coding().encode(vectors)
    logits = net(text, net.dot_numbers(dots), codes)
    expected = F.cross_entropy(logits.flatten(0, 1), codes.flatten())
    torch.testing.assert_close(autoregressive_loss(net, text, vectors, dots, 0.0), expected)


def test_soft_targets_are_a_gaussian_about_the_bucket():
    found = soft_targets(torch.tensor([[50]]), 100, 4.0)[0, 0]
    place = torch.arange(100.0)
    assert float(found.sum()) == pytest.approx(1, rel=1e-5)
    assert float((found * place).sum()) == pytest.approx(50, abs=1e-3)
    assert float((found * (place - 50) ** 2).sum().sqrt()) == pytest.approx(4, rel=1e-3)


def test_coding_is_that_of_the_data(net, turned):
    pairs, _ = turned
    back = net.coding().decode(net.coding().encode(pairs.vectors))
    assert (back - pairs.vectors).abs().max() < 0.6  # buckets are a quarter of a deviation
    dots = cosines(pairs.text, pairs.vectors)
    assert float(net.dots[0]) == pytest.approx(float(dots.min()), abs=1e-5)
    assert float(net.dots[50]) == pytest.approx(float(dots.median()), abs=0.02)


def test_near_buckets_start_alike(net):
    start_tables(net)
    table = F.normalize(net.code_embedding.weight, dim=1)
    assert (table[0] * table[1]).sum() > (table[0] * table[20]).sum() + 0.1


def test_texts_are_dropped_whole_and_at_the_rate(turned):
    pairs, _ = turned
    rng = torch.Generator().manual_seed(0)
    found = dropped(pairs.text, pairs.empty, 0.25, rng)
    gone = (found.pooled == 0).all(1)
    assert 0.18 < float(gone.float().mean()) < 0.32
    assert ((found.tokens == 0).all(2).all(1) == gone).all()
    assert torch.equal(found.pooled[~gone], pairs.text.pooled[~gone])
