"""The published methods against what their papers say they do."""

import math

import pytest
import torch

from mm_core.evaluation.bench.baselines import AdaptiveGuidance, ResidualCache, likeness, split
from mm_core.guidance.program import Program
from mm_core.types import NULL, Modality, Moment, Row

JOINT = Program((Modality("a", 3.0),), "joint")
A = Row.of("a")


def network(x, apart, scale=1.0):
    """predict(rows): cond is x.cos(), uncond is cond plus scale times apart."""
    asked = []

    def predict(rows):
        asked.append(set(rows))
        table = {A: x.cos(), NULL: x.cos() + scale * apart}
        return {row: table[row] for row in rows}

    return predict, asked


def test_likeness_is_the_cosine():
    a = torch.zeros(2, 1, 2, 2)
    b = torch.zeros(2, 1, 2, 2)
    a[:, 0, 0, 0], b[0, 0, 0, 0], b[1, 0, 0, 1] = 2.0, 5.0, 1.0  # the same way; at right angles
    assert likeness(a, b) == pytest.approx(0.5)


def test_adaptive_guidance_runs_both_rows_until_they_agree_and_then_one_for_good(noise):
    x, apart = noise(2, 3, 8, 8), noise(2, 3, 8, 8)
    guide = AdaptiveGuidance(JOINT)
    ran = []
    for strength in (1.0, 0.3, 0.01, 1.0):
        predict, asked = network(x, apart, strength)
        out = guide(x, Moment(0.5, 1.0), 0.5, predict)
        ran += asked
        cond, uncond = x.cos(), x.cos() + strength * apart
        full = uncond + 3 * (cond - uncond)
        torch.testing.assert_close(out, full if len(asked[0]) == 2 else cond)
    assert ran == [{A, NULL}, {A, NULL}, {A, NULL}, {A}]


def test_the_two_bands_add_up_and_part_slow_from_fast_waves():
    place = torch.arange(16) * 2 * math.pi / 16
    slow = (2 * place).cos().expand(1, 1, 16, 16)  # 2 waves across: within 16 / 5
    fast = (5 * place).cos().expand(1, 1, 16, 16)
    low, high = split(slow + fast)
    torch.testing.assert_close(low, slow, atol=1e-5, rtol=0)
    torch.testing.assert_close(high, fast, atol=1e-5, rtol=0)


def at(time):
    """A moment of a flow at a time from 0 to 1000."""
    return Moment(1 - time / 1000, time / (1000 - time))


@pytest.mark.parametrize(
    ("time", "gains"), [(600, (1.1, 1.0)), (200, (1.1, 1.1)), (50, (1.0, 1.1))]
)
def test_the_residual_is_boosted_by_band_and_time(time, gains):
    place = torch.arange(16) * 2 * math.pi / 16
    slow, fast = (x.cos().expand(1, 1, 16, 16) for x in (2 * place, 5 * place))
    x = torch.zeros(1, 1, 16, 16)
    guide = ResidualCache(JOINT, "x0")
    guide(x, at(900), 0.1, network(x, slow + fast)[0])
    predict, asked = network(x, 0 * x)
    out = guide(x, at(time), 0.1, predict)
    assert asked == [{A}]
    cond = x.cos()
    uncond = cond + gains[0] * slow + gains[1] * fast
    torch.testing.assert_close(out, uncond + 3 * (cond - uncond), atol=1e-5, rtol=0)


def test_the_residual_is_refreshed_at_every_step_early_and_then_at_every_fifth(noise):
    x = noise(1, 2, 8, 8)
    guide = ResidualCache(JOINT)
    predict, asked = network(x, x.sin())
    times = [950, 800, 700, *range(600, 0, -50)]
    for time in times:
        guide(x, at(time), 0.1, predict)
    full = [time for time, rows in zip(times, asked, strict=True) if len(rows) == 2]
    assert full == [950, 800, 700, 400, 150]


def test_where_nothing_is_pushed_both_run_one_row(noise):
    x = noise(1, 2, 8, 8)
    for guide in (AdaptiveGuidance(Program((Modality("a", 1.0),))),
                  ResidualCache(Program((Modality("a", 1.0),), "joint"))):  # fmt: skip
        predict, asked = network(x, x)
        torch.testing.assert_close(guide(x, Moment(0.0, 2.0), 1.0, predict), x.cos())
        assert asked == [{A}]
