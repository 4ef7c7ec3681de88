"""The schedule, its steps, and the exact answer where data are Gaussian."""

import math
from fractions import Fraction

import pytest
import torch

from mm_core.priors.unclip import (
    Table,
    ancestral_step,
    cosine_table,
    ddim_step,
    solve,
    timesteps,
)

TABLE = cosine_table(precision=torch.float64)


def test_the_kept_signal_is_the_paper_s_cosine():
    """Nichol and Dhariwal 2021, equation 17, wherever the limit on beta does not act."""
    f = [math.cos((t / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2 for t in range(1001)]
    expected = torch.tensor(f[1:], dtype=torch.float64) / f[0]
    torch.testing.assert_close(TABLE.kept[:990], expected[:990])
    assert TABLE.betas.max() == 0.999


def test_the_published_first_beta_in_single_precision():
    table = cosine_table()
    assert float(table.betas[0]) == pytest.approx(4.12842e-5, rel=1e-5)
    assert float(1 - table.kept[0]) == pytest.approx(4.13060e-5, rel=1e-5)


def test_timesteps_are_rounded_half_to_even():
    assert timesteps(5) == [999, 749, 500, 250, 0]
    for count in (2, 7, 25, 64, 1000):
        exact = [round(Fraction(i * 999, count - 1)) for i in range(count)][::-1]
        assert timesteps(count) == exact


def test_the_ancestral_step_is_the_posterior_of_the_paper():
    """Ho et al. 2020, equations 6 and 7, in rational form."""
    x, x0, noise = torch.randn(3, 2, 4, dtype=torch.float64)
    t = 300
    ab, ab_prev = TABLE.kept[t], TABLE.kept[t - 1]
    beta = 1 - ab / ab_prev
    mean = ab_prev.sqrt() * beta / (1 - ab) * x0
    mean = mean + (1 - beta).sqrt() * (1 - ab_prev) / (1 - ab) * x
    deviation = ((1 - ab_prev) / (1 - ab) * beta).sqrt()
    found = ancestral_step(TABLE, x, x0, t, t - 1, noise)
    torch.testing.assert_close(found, mean + deviation * noise)


def test_the_last_step_in_single_precision_shortens_as_in_training():
    table, x0 = cosine_table(), torch.ones(1, 3)
    last = ancestral_step(table, torch.zeros(1, 3), x0, 0, -1, None)
    torch.testing.assert_close(last, 0.99947 * x0, rtol=2e-5, atol=0)
    exact = ancestral_step(TABLE, torch.zeros(1, 3), x0, 0, -1, None)
    torch.testing.assert_close(exact.float(), x0)


def test_a_ddim_step_keeps_the_noise_it_sees():
    """x made of x0 and a noise is taken to the same x0 and the same noise, less of it."""
    x0, noise = torch.randn(2, 3, 4, dtype=torch.float64)
    a, b = TABLE.kept[700], TABLE.kept[200]
    x = a.sqrt() * x0 + (1 - a).sqrt() * noise
    found = ddim_step(TABLE, x, x0, 700, 200)
    torch.testing.assert_close(found, b.sqrt() * x0 + (1 - b).sqrt() * noise)
    torch.testing.assert_close(ddim_step(TABLE, x, x0, 700, -1), x0)


def gaussian(mean, deviation):
    """The exact prediction of clean data that are normally distributed."""

    def predict(x, t):
        ab = TABLE.kept[t]
        gain = ab.sqrt() * deviation**2 / (ab * deviation**2 + 1 - ab)
        return mean + gain * (x - ab.sqrt() * mean)

    return predict


def test_ddim_takes_gaussian_noise_to_the_gaussian_with_an_error_that_halves():
    start = torch.randn(1000, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    exact = 2.0 + 0.5 * start

    def error(steps):
        found = solve(gaussian(2.0, 0.5), lambda: start, TABLE, steps, "ddim")
        return (found - exact).abs().mean()

    assert error(500) < 0.01
    assert 1.6 < error(50) / error(100) < 2.4  # first order


def test_the_ancestral_solver_gives_the_gaussian_s_mean_and_deviation():
    rng = torch.Generator().manual_seed(0)

    def draw():
        return torch.randn(4000, 1, dtype=torch.float64, generator=rng)

    found = solve(gaussian(2.0, 0.5), draw, TABLE, 250)
    assert float(found.mean()) == pytest.approx(2.0, abs=0.03)
    assert float(found.std()) == pytest.approx(0.5, abs=0.02)


def test_predictions_are_limited_and_noise_is_drawn_once_a_step_but_the_last():
    drawn = []

    def draw():
        drawn.append(1)
        return torch.zeros(1, 2)

    seen = solve(lambda x, t: torch.full((1, 2), 50.0), draw, cosine_table(), 5, limit=3.0)
    assert len(drawn) == 5  # the start and four steps
    torch.testing.assert_close(seen, torch.full((1, 2), 3.0), rtol=1e-3, atol=0)


def test_a_table_of_few_steps_is_walked_whole():
    table = Table(torch.full((4,), 0.3))
    times = []
    solve(lambda x, t: times.append(t) or x, lambda: torch.ones(1, 1), table, 4)
    assert times == [3, 2, 1, 0]


def two_points(share):
    """The exact prediction of clean data that are 1 in a share of cases and -1 in the others."""

    def predict(x, t):
        ab = TABLE.kept[t]
        return torch.tanh(ab.sqrt() * x / (1 - ab) + 0.5 * math.log(share / (1 - share)))

    return predict


def test_the_mean_of_two_points_is_neither_and_samples_are_one_or_the_other():
    rng = torch.Generator().manual_seed(0)

    def draw():
        return torch.randn(4000, 1, dtype=torch.float64, generator=rng)

    mean = solve(two_points(0.7), draw, TABLE, 1000, "mean")
    torch.testing.assert_close(mean, torch.full((4000, 1), 0.4).double(), rtol=0, atol=1e-3)
    samples = solve(two_points(0.7), draw, TABLE, 100)
    torch.testing.assert_close(samples.abs(), torch.ones(4000, 1).double(), rtol=0, atol=1e-3)
    deviation = math.sqrt((1 - 0.4**2) / 4000)
    assert float(samples.mean()) == pytest.approx(0.4, abs=3 * deviation)


def test_the_mean_takes_one_step_from_the_last_timestep_and_is_limited():
    times, told = [], []

    def predict(x, t):
        times.append(t)
        return gaussian(2.0, 0.5)(x, t)

    start = torch.randn(50, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = solve(predict, lambda: start, TABLE, 25, "mean", tick=lambda *done: told.append(done))
    assert (times, told) == ([999], [(1, 1)])
    torch.testing.assert_close(found, torch.full((50, 2), 2.0).double(), rtol=0, atol=1e-3)
    near = solve(gaussian(2.0, 0.5), lambda: start, TABLE, 25, "mean", limit=1.5)
    assert (near == 1.5).all()
