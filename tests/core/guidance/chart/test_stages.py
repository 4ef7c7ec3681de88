"""Before a run: windows, weights and coefficients are where they belong."""

import numpy as np
import pytest

from mm_core.guidance.chart.axes import Frame
from mm_core.guidance.chart.canvas import Canvas
from mm_core.guidance.chart.palette import PAPER, colors, diverging
from mm_core.guidance.chart.stages import coefficients, weight_of, windows

FRAME = Frame(20, 20, 220, 60)  # two lines of 20 pixels


def drawn(plot, *given):
    canvas = Canvas(240, 100)
    plot(canvas, FRAME, *given)
    found = np.asarray(canvas.finish())
    return lambda x, y: tuple(found[y, x].tolist())


def test_a_bar_spans_the_window():
    tint = colors(["text", "depth"])
    inputs = [
        {"name": "text", "weight": 3.0, "start": 0.0, "end": 1.0},
        {"name": "depth", "weight": 1.5, "start": 0.25, "end": 0.5},
    ]
    at = drawn(windows, inputs, tint)
    assert at(150, 30) == tint["text"]
    assert [at(x, 45) for x in (60, 75, 115, 180)] == [PAPER, tint["depth"], tint["depth"], PAPER]


def test_a_coefficient_colors_its_part_of_sampling():
    stages = [
        {"start": 0.0, "end": 0.5, "rows": {"text": 3.0, "null": -2.0}},
        {"start": 0.5, "end": 1.0, "rows": {"text": 1.0}},
    ]
    at = drawn(coefficients, stages, ["text", "null"])
    assert (at(30, 25), at(130, 25)) == (diverging(1), diverging(1 / 3))
    assert (at(30, 45), at(130, 45)) == (diverging(-2 / 3), PAPER)


@pytest.mark.parametrize(
    ("weight", "said"),
    [(2.5, "2.5"), (3, "3"), ((2.0, -1.0, 1.0), "-1 to 2"), ([0.5], "0.5 to 0.5")],
)
def test_a_weight_is_a_number_or_a_range(weight, said):
    assert weight_of({"weight": weight}) == said
