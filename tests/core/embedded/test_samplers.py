"""Samplers against the exact solution for Gaussian data, with their order of accuracy.

x_t = (1 - s) x0 + s n, with x0 ~ N(m, S^2) and n ~ N(0, 1), is N((1 - s) m, v(s)^2) where
v(s)^2 = (1 - s)^2 S^2 + s^2. The denoiser is E[x0 | x_t] = m + (1 - s) S^2 (x - (1 - s) m) / v^2,
and the flow keeps (x - (1 - s) m) / v(s) constant.
"""

import math

import pytest
import torch

from mm_core.embedded.samplers import SAMPLERS, dpmpp_2m, euler, heun, sampler_named
from mm_core.errors import InputError
from mm_core.guidance.algebra import combine
from mm_core.guidance.compositions import leave_one_out
from mm_core.types import NULL, Row

MEAN, SPREAD = 0.7, 0.5
START, END = 0.95, 0.05  # inside, where the solution is smooth
ORDERS = {"euler": (euler, 1), "heun": (heun, 2), "dpmpp_2m": (dpmpp_2m, 2)}
each_sampler = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)


def variance(s):
    return (1 - s) ** 2 * SPREAD**2 + s**2


def gaussian(mean):
    def denoised(x, s):
        return mean + (1 - s) * SPREAD**2 * (x - (1 - s) * mean) / variance(s)

    return denoised


def exact(x, s, to, mean):
    drift = (x - (1 - s) * mean) / variance(s) ** 0.5
    return (1 - to) * mean + variance(to) ** 0.5 * drift


def levels(steps, start=START, end=END):
    return torch.linspace(start, end, steps + 1, dtype=torch.float64)


@pytest.fixture
def x(noise):
    return noise(4, 1, 2, 2, dtype=torch.float64)


@pytest.mark.parametrize(("sampler", "order"), ORDERS.values(), ids=ORDERS)
def test_converges_to_the_exact_solution_at_its_order(x, sampler, order):
    target = exact(x, START, END, MEAN)

    def error(steps):
        return (sampler(gaussian(MEAN), x, levels(steps)) - target).abs().max().item()

    assert error(256) < 0.02
    assert 0.75 * 2**order < error(128) / error(256) < 1.3 * 2**order


@pytest.mark.parametrize(("sampler", "order"), ORDERS.values(), ids=ORDERS)
def test_guidance_of_two_gaussians_converges_to_a_gaussian_with_the_guided_mean(x, sampler, order):
    # The two differ in their mean alone, so guidance by w moves the mean w times as far.
    plan, weight = leave_one_out({"a": 2.5}), 2.5
    rows = {NULL: gaussian(0.0), Row.of("a"): gaussian(MEAN)}

    def guided(x, s):
        return combine({row: model(x, s) for row, model in rows.items()}, plan)

    found = sampler(guided, x, levels(512))
    assert (found - exact(x, START, END, weight * MEAN)).abs().max() < 0.02 / order**2


@each_sampler
def test_a_denoiser_that_always_says_the_same_is_reached_exactly(x, sampler, noise):
    picture = noise(4, 1, 2, 2, dtype=torch.float64)
    found = sampler(lambda x, s: picture, x, levels(3, 1.0, 0.0))
    torch.testing.assert_close(found, picture, rtol=0, atol=1e-12)


@each_sampler
def test_on_the_way_to_a_constant_every_sampler_is_exact(x, sampler, noise):
    picture = noise(4, 1, 2, 2, dtype=torch.float64)
    found = sampler(lambda x, s: picture, x, levels(3, 1.0, 0.25))
    torch.testing.assert_close(found, picture + 0.25 * (x - picture), rtol=0, atol=1e-12)


def test_dpmpp_2m_is_algorithm_2_of_its_paper(x):
    sigma = [0.9, 0.6, 0.35, 0.05]  # steps of different length in lambda = -log sigma
    lam = [-math.log(s) for s in sigma]
    model = gaussian(MEAN)
    d0 = model(x, sigma[0])
    x1 = sigma[1] / sigma[0] * x - (math.exp(-(lam[1] - lam[0])) - 1) * d0
    d1, r = model(x1, sigma[1]), (lam[1] - lam[0]) / (lam[2] - lam[1])
    mixed = (1 + 1 / (2 * r)) * d1 - 1 / (2 * r) * d0
    x2 = sigma[2] / sigma[1] * x1 - (math.exp(-(lam[2] - lam[1])) - 1) * mixed
    d2, r = model(x2, sigma[2]), (lam[2] - lam[1]) / (lam[3] - lam[2])
    mixed = (1 + 1 / (2 * r)) * d2 - 1 / (2 * r) * d1
    x3 = sigma[3] / sigma[2] * x2 - (math.exp(-(lam[3] - lam[2])) - 1) * mixed
    torch.testing.assert_close(dpmpp_2m(model, x, torch.tensor(sigma, dtype=torch.float64)), x3)


@pytest.mark.parametrize(("name", "calls"), [("euler", 5), ("heun", 9), ("dpmpp_2m", 5)])
def test_a_step_costs_what_the_docstring_says(x, name, calls):
    seen = []

    def count(x, s):
        seen.append(s)
        return gaussian(MEAN)(x, s)

    SAMPLERS[name](count, x, levels(5, 1.0, 0.0))
    assert len(seen) == calls
    assert min(seen) > 0


@each_sampler
def test_every_step_is_told_in_order(x, sampler):
    told = []
    sampler(gaussian(MEAN), x, levels(4), told.append)
    assert told == [0, 1, 2, 3]


@each_sampler
def test_a_step_that_raises_cancels(x, sampler):
    def cancel(step):
        if step == 1:
            raise KeyboardInterrupt

    seen = []

    def model(x, s):
        seen.append(s)
        return x

    with pytest.raises(KeyboardInterrupt):
        sampler(model, x, levels(10), cancel)
    assert len(seen) <= 4


@each_sampler
def test_the_start_is_left_as_it_was(x, sampler):
    before = x.clone()
    sampler(gaussian(MEAN), x, levels(3))
    assert torch.equal(x, before)


@each_sampler
def test_samples_of_a_batch_do_not_see_each_other(x, sampler):
    together = sampler(gaussian(MEAN), x, levels(5))
    assert torch.equal(together[:1], sampler(gaussian(MEAN), x[:1], levels(5)))


def test_an_unknown_sampler_is_refused_with_the_list():
    with pytest.raises(InputError, match=r"no sampler 'lms'; choose from \['euler', 'heun', 'dpm"):
        sampler_named("lms")
