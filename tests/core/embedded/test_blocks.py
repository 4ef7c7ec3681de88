"""Blocks against formulas written apart, and what they promise when new."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from mm_core.embedded import blocks
from mm_core.embedded.blocks import (
    DecoupledCrossAttention,
    Heard,
    ResidualBlock,
    SelfAttention,
    TransformerBlock,
    attend,
    sinusoid,
    start_at_zero,
    start_weight,
)

WIDTH, CONTEXT, HEADS = 8, 6, 2


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.fixture
def heard(noise):
    return {name: noise(2, n, CONTEXT) for name, n in (("text", 5), ("style", 3), ("audio", 4))}


def by_formula(q, k, v):
    """softmax(q k^T / sqrt(d)) v of one head of one sample, in float64."""
    scores = np.exp(q @ k.T / math.sqrt(q.shape[1]))
    return scores / scores.sum(1, keepdims=True) @ v


def by_head(x):
    return np.split(x, HEADS, axis=-1)


def array(tensor):
    return tensor.detach().double().numpy()


@pytest.mark.parametrize("many", [2**20, 0], ids=["written out", "fused"])
def test_attention_is_a_softmax_over_what_is_heard(noise, monkeypatch, many):
    monkeypatch.setattr(blocks, "MANY", many)
    q, k, v = noise(1, 1, 3, 4), noise(1, 1, 5, 4), noise(1, 1, 5, 4)
    expected = by_formula(array(q[0, 0]), array(k[0, 0]), array(v[0, 0]))
    np.testing.assert_allclose(array(attend(q, k, v)[0, 0]), expected, rtol=1e-4, atol=1e-6)


def test_self_attention_is_that_of_its_formula(noise):
    layer, x = SelfAttention(WIDTH, HEADS, nn), noise(2, 4, WIDTH)
    weights = array(layer.qkv.weight)
    for sample in range(2):
        q, k, v = np.split(array(x[sample]) @ weights.T, 3, axis=1)
        heads = [by_formula(*h) for h in zip(by_head(q), by_head(k), by_head(v), strict=True)]
        expected = np.concatenate(heads, 1) @ array(layer.out.weight).T + array(layer.out.bias)
        np.testing.assert_allclose(array(layer(x)[sample]), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("gains", [(None, None), (0.5, 2.0)])
def test_cross_attention_adds_a_softmax_for_each_stream_times_its_gain(noise, heard, gains):
    layer, x = DecoupledCrossAttention(WIDTH, CONTEXT, 3, HEADS, nn), noise(2, 4, WIDTH)
    tensors = [None if g is None else torch.full((2, 1, 1, 1), g) for g in (None, *gains)]
    streams = [Heard(t, g) for t, g in zip(heard.values(), tensors, strict=True)]
    for sample in range(2):
        queries = by_head(array(x[sample]) @ array(layer.to_q.weight).T)
        total = 0.0
        for tokens, to_kv, gain in zip(heard.values(), layer.to_kv, (1, *gains), strict=True):
            k, v = np.split(array(tokens[sample]) @ array(to_kv.weight).T, 2, axis=1)
            heads = [by_formula(*h) for h in zip(queries, by_head(k), by_head(v), strict=True)]
            total = total + np.concatenate(heads, 1) * (1 if gain is None else gain)
        expected = total @ array(layer.out.weight).T
        np.testing.assert_allclose(array(layer(x, streams)[sample]), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("silent", [1, 2])
def test_a_stream_of_gain_0_is_as_silent_as_none_bit_for_bit(noise, heard, silent):
    layer, x = DecoupledCrossAttention(WIDTH, CONTEXT, 3, HEADS, nn), noise(2, 4, WIDTH)
    streams = [Heard(t) for t in heard.values()]
    absent = [s if k != silent else None for k, s in enumerate(streams)]
    streams[silent] = Heard(streams[silent].tokens, torch.zeros(2, 1, 1, 1))
    assert torch.equal(layer(x, streams), layer(x, absent))


def test_a_gain_belongs_to_its_sample(noise, heard):
    layer, x = DecoupledCrossAttention(WIDTH, CONTEXT, 2, HEADS, nn), noise(2, 4, WIDTH)
    text, gain = Heard(heard["text"]), torch.tensor([0.0, 1.0])[:, None, None, None]
    mixed = layer(x, [text, Heard(heard["style"], gain)])
    assert torch.equal(mixed[0], layer(x, [text, None])[0])
    assert torch.equal(mixed[1], layer(x, [text, Heard(heard["style"])])[1])


def test_a_new_transformer_block_is_the_identity(noise, heard):
    block, x = TransformerBlock(WIDTH, CONTEXT, 3, HEADS, nn), noise(2, WIDTH, 3, 4)
    assert torch.equal(block(x, [Heard(t) for t in heard.values()]), x)


def test_a_trained_transformer_block_hears_every_stream(noise, heard):
    block, x = TransformerBlock(WIDTH, CONTEXT, 3, HEADS, nn), noise(2, WIDTH, 3, 4)
    for parameter in block.parameters():
        nn.init.normal_(parameter)
    streams = [Heard(t) for t in heard.values()]
    full = block(x, streams)
    for k in (1, 2):
        less = [s if i != k else None for i, s in enumerate(streams)]
        assert (block(x, less) - full).abs().max() > 1e-3


def test_a_new_residual_block_of_equal_width_is_the_identity(noise):
    x = noise(2, 8, 3, 4)
    assert torch.equal(ResidualBlock(8, 8, 5, nn)(x, noise(2, 5)), x)


def test_a_new_residual_block_of_another_width_is_its_skip(noise):
    block, x = ResidualBlock(8, 16, 5, nn), noise(2, 8, 3, 4)
    assert torch.equal(block(x, noise(2, 5)), block.skip(x))


def test_the_embedding_scales_and_shifts_between_the_convolutions(noise):
    block, x, e = ResidualBlock(8, 8, 5, nn), noise(2, 8, 3, 4), noise(2, 5)
    nn.init.normal_(block.conv2.weight)
    middle = block.norm2(block.conv1(nn.functional.silu(block.norm1(x))))
    scale, shift = (e @ block.modulation.weight.T + block.modulation.bias).split(8, 1)
    middle = middle * (1 + scale[..., None, None]) + shift[..., None, None]
    expected = x + block.conv2(nn.functional.silu(middle))
    torch.testing.assert_close(block(x, e), expected)


def test_sinusoids_are_cosines_then_sines_of_falling_frequency():
    found = sinusoid(torch.tensor([0.0, 3.0, 1000.0]), 8)
    frequency = [10000 ** (-k / 4) for k in range(4)]
    for position, row in zip((0.0, 3.0, 1000.0), found.tolist(), strict=True):
        expected = [math.cos(position * f) for f in frequency]
        expected += [math.sin(position * f) for f in frequency]
        assert row == pytest.approx(expected, abs=1e-4)  # float32 angles up to 1000


def test_starting_weights_leaves_the_bias_alone_and_starting_at_zero_does_not():
    layer = nn.Linear(200, 200)
    bias = layer.bias.detach().clone()
    start_weight(layer, 0.3)
    assert layer.weight.std().item() == pytest.approx(0.3, rel=0.02)
    assert torch.equal(layer.bias, bias)
    start_at_zero(layer)
    assert not layer.weight.any()
    assert not layer.bias.any()


def test_a_layer_that_has_no_weight_yet_is_left_alone():
    start_weight(nn.Identity(), 1.0)
    start_at_zero(nn.Identity())
