"""Reductions per sample, against a loop in float64; bounds of what is learned."""

import math

import pytest
import torch

from mm_core.numerics import at_least, at_most, sample_dot, sample_norm

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


def test_bounds_hold():
    x = torch.tensor([-2.0, -1.0, 0.0, 3.0, -torch.inf, torch.inf])
    assert at_least(x, -1.0).tolist() == [-1, -1, 0, 3, -1, math.inf]
    assert at_most(x, 0.0).tolist() == [-2, -1, 0, 0, -math.inf, 0]


@pytest.mark.parametrize("pull", [-3.0, 3.0])
def test_a_bound_holds_no_learned_number_that_descent_would_move_off_it(pull):
    """As clamp's within, and at the bound, where releases of torch differ; beyond, only back."""
    x = torch.tensor([-1.0, 0.0, 1.0], requires_grad=True)
    (low,) = torch.autograd.grad(pull * at_least(x, 0.0).sum(), x)
    (high,) = torch.autograd.grad(pull * at_most(x, 0.0).sum(), x)
    assert low.tolist() == [pull if pull < 0 else 0, pull, pull]
    assert high.tolist() == [pull, pull, pull if pull > 0 else 0]


def test_a_number_that_steps_took_beyond_its_bound_comes_back():
    x = torch.tensor(0.0, requires_grad=True)
    for goal in (-1.0, 1.0):
        optimizer = torch.optim.SGD([x], lr=0.1)
        for _ in range(100):
            optimizer.zero_grad()
            (at_least(x, 0.0) - goal).square().backward()
            optimizer.step()
    assert x.item() == pytest.approx(1, abs=1e-3)
