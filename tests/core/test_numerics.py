"""Reductions per sample, against a loop in float64."""

import math

import pytest
import torch

from mm_core.numerics import sample_dot, sample_norm

each_shape = pytest.mark.parametrize("shape", [(3, 2), (3, 2, 4), (2, 3, 4, 5), (2, 3, 2, 4, 5)])


def loop_dot(a, b):
    return [math.fsum(x * y for x, y in zip(p.ravel().tolist(), q.ravel().tolist(), strict=True))
            for p, q in zip(a.double(), b.double(), strict=True)]  # fmt: skip


@each_shape
def test_dot_is_a_sum_for_each_sample(noise, shape):
    a, b = noise(*shape), noise(*shape)
    assert sample_dot(a, b).flatten().tolist() == pytest.approx(loop_dot(a, b), rel=1e-4, abs=1e-5)


@each_shape
def test_norm_is_a_length_for_each_sample(noise, shape):
    a = noise(*shape)
    expected = [math.sqrt(v) for v in loop_dot(a, a)]
    assert sample_norm(a).flatten().tolist() == pytest.approx(expected, rel=1e-5)


@each_shape
def test_results_broadcast_against_their_samples(noise, shape):
    a = noise(*shape)
    assert sample_norm(a).shape == (shape[0], *[1] * (len(shape) - 1))


def test_half_precision_is_summed_in_float32():
    a = torch.full((1, 4096, 4), 8.0, dtype=torch.float16)
    assert sample_dot(a, a).item() == 4096 * 4 * 64  # 2^20; float16 ends at 65504
