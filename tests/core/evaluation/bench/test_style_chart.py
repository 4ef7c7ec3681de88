"""The curves show their numbers: looked up pixel by pixel where they must be."""

import numpy as np
import pytest

from mm_core.evaluation.bench.style_chart import (
    HEIGHT,
    TINTS,
    WIDTH,
    Axis,
    curves,
    draw,
    lines_at,
    tints,
)


def point(way, number, weight, text, style):
    kind = "CFG" if way == "one CFG" else "text"
    return {
        "curve": f"{way}, {kind} {number:g}", "way": way, "text_weight": number, "weight": weight,
        "text": text, "text_interval": (text - 2, text + 2),
        "style": style, "style_interval": (style - 4, style + 4),
    }  # fmt: skip


POINTS = [
    point("leave_one_out", 3.0, 0.0, 92.0, 20.0),
    point("leave_one_out", 3.0, 4.0, 90.0, 90.0),
    point("leave_one_out", 3.0, 1.0, 92.0, 80.0),
    point("one CFG", 3.0, 1.0, 91.0, 88.0),
    point("one CFG", 7.0, 1.0, 93.0, 92.0),
]
FOUND = {"scenes": 96, "steps": 16, "points": POINTS}


def test_a_curve_runs_by_rising_weight():
    found = curves(POINTS)
    assert [p["weight"] for p in found["leave_one_out, text 3"]] == [0, 1, 4]
    assert list(lines_at(found, 3.0)) == ["leave_one_out, text 3", "one CFG, CFG 3"]


def test_curves_of_one_way_are_shades_of_one_colour():
    found = tints(curves(POINTS))
    assert found["leave_one_out, text 3"] == TINTS["leave_one_out"]
    low, high = (found[f"one CFG, CFG {n}"] for n in (3, 7))
    assert sum(high) < sum(TINTS["one CFG"]) < sum(low)
    assert len(set(found.values())) == len(found)


@pytest.mark.parametrize(
    ("values", "step", "ticks"),
    [
        ([84.9, 91.0], 2, (84, 86, 88, 90, 92)),
        ([0.0, 4.0], 1, (0, 1, 2, 3, 4)),
        ([90.0], 5, (90, 95)),
    ],
)
def test_an_axis_ends_on_round_values_around_all_numbers(values, step, ticks):
    axis = Axis.around(values, step)
    assert axis.ticks == ticks
    assert (axis.share(axis.low), axis.share(axis.high)) == (0, 1)


def test_points_lie_where_their_numbers_say():
    picture = draw(FOUND)
    assert picture.size == (WIDTH, HEIGHT)
    seen = np.asarray(picture)
    color = tints(curves(POINTS))["one CFG, CFG 7"]
    # The right plot: text 90 to 94 lies at 500 to 972, style 80 to 95 at 540 up to 126.
    x, y = 500 + 472 * (93 - 90) / 4, 540 - 414 * (92 - 80) / 15
    assert tuple(seen[round(y), round(x)].tolist()) == color
