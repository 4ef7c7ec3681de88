"""Frames map shares to pixels, and levels are round numbers that reach far enough."""

from itertools import pairwise

import numpy as np
import pytest

from mm_core.guidance.chart.axes import Frame, evaluations, heading, levels, message, round_levels
from mm_core.guidance.chart.canvas import Canvas
from mm_core.guidance.chart.palette import GRID

FRAME = Frame(20, 10, 120, 60)


def test_shares_are_pixels_from_the_left_and_from_below():
    assert (FRAME.x(0), FRAME.x(0.5), FRAME.x(1)) == (20, 70, 120)
    assert (FRAME.y(0), FRAME.y(1)) == (60, 10)
    assert (FRAME.width, FRAME.height, FRAME.middle) == (100, 50, (70, 35))


def test_columns_fill_the_frame_without_gaps():
    columns = FRAME.columns(7)
    assert (columns[0][0], columns[-1][1]) == (20, pytest.approx(120))
    assert all(a[1] == b[0] for a, b in pairwise(columns))


@pytest.mark.parametrize(
    ("high", "expected"),
    [
        (1, [0, 0.25, 0.5, 0.75, 1]),
        (270, [0, 100, 200, 300]),
        (0.91, [0, 0.25, 0.5, 0.75, 1]),
        (42, [0, 20, 40, 60]),
        (0, [0, 1]),
        (float("nan"), [0, 1]),
    ],
)
def test_levels_are_round_and_reach_over_the_highest(high, expected):
    assert round_levels(high) == pytest.approx(expected)


@pytest.mark.parametrize("high", [1e-12, 3e-5, 0.13, 7, 99.9, 1.7e6, 1e300])
def test_levels_are_few_and_the_last_is_the_first_that_suffices(high):
    found = round_levels(high)
    assert 2 <= len(found) <= 5
    assert found[-2] < high <= found[-1] * (1 + 1e-9)


def drawn(draw, size=(140, 100)):
    canvas = Canvas(*size)
    draw(canvas)
    return np.asarray(canvas.finish()).astype(int)


def test_a_level_is_a_line_across_at_its_height():
    found = drawn(lambda c: levels(c, FRAME, [5], lambda v: v / 10))
    rows = np.nonzero((found[:, 60] < 255).any(1))[0]
    assert set(rows.tolist()) <= {34, 35}
    assert (found[35, 30:110] != 255).any()


def test_numbers_of_evaluations_stand_below_and_do_not_crowd():
    few = drawn(lambda c: evaluations(c, FRAME, 3))
    many = drawn(lambda c: evaluations(c, FRAME, 1000))
    for found in (few, many):
        assert (found[:60] == 255).all()
        assert (found[62:] < 255).any()
    numbers = (many[64:74, :, 0] < 200).any(0)
    assert numbers.mean() < 0.8


def test_a_heading_and_a_message_are_words_in_ink():
    assert (drawn(lambda c: heading(c, (10, 30), "Title", "unit")) < 100).any()
    found = drawn(lambda c: message(c, FRAME, "nothing"))
    assert tuple(found[10, 60]) == GRID
    assert (found[30:40, 50:90] < 200).any()
