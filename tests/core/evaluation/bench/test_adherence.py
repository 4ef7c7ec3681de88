"""Adherence and its differences, against hand-made cases and the normal interval."""

import math

import pytest
import torch

from mm_core.evaluation.bench.adherence import adherence, difference


def group(colour, palette):
    return {"text_color": torch.tensor(colour), "style_palette_mae": torch.tensor(palette)}


ONE = group([1.0, 0.0], [0.1])
OTHER = group([1.0, 1.0, 1.0, 0.0], [0.3])


def test_it_is_the_mean_of_measures_over_cases_with_errors_turned_round():
    assert adherence([ONE]) == pytest.approx(100 * (0.5 + 0.9) / 2)
    assert adherence([ONE, OTHER]) == pytest.approx(100 * (4 / 6 + 0.8) / 2)


def test_a_measure_without_cases_does_not_count():
    assert adherence([group([], [0.1])]) == pytest.approx(90)


def test_a_difference_that_is_the_same_in_all_groups_has_no_interval():
    better = [group([1.0, 0.0], [0.0]), group([1.0, 1.0, 1.0, 0.0], [0.2])]
    gain, half = difference(better, [ONE, OTHER])
    assert gain == pytest.approx(5.0)
    assert half == pytest.approx(0.0, abs=1e-9)


def test_the_interval_of_many_groups_is_the_normal_one(rng):
    shifts = torch.randn(400, generator=rng) * 0.05
    ours = [{"depth_r": torch.tensor([0.5 + s])} for s in shifts.tolist()]
    theirs = [{"depth_r": torch.tensor([0.5])} for _ in shifts]
    _, half = difference(ours, theirs)
    assert half == pytest.approx(100 * 1.96 * float(shifts.std()) / math.sqrt(400), rel=0.1)
