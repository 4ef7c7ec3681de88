"""The curve that is drawn is the schedule's."""

import numpy as np
import pytest

from mm_core.guidance.chart.palette import NAMED
from mm_core.guidance.chart.schedule import HEIGHT, WIDTH, draw_schedule, flow_noise
from mm_core.guidance.schedule import KINDS, Schedule

LEFT, RIGHT, TOP, BOTTOM = 58, WIDTH - 24, 56, HEIGHT - 68  # of the plot


def curve(schedule, **given):
    """value(progress): read off the picture, with 1.05 at the plot's top and 0 at its bottom."""
    found = np.asarray(draw_schedule(schedule, **given)).astype(int)
    ink = np.abs(found - np.array(NAMED["text"])).max(2) < 40

    def value(progress):
        (rows,) = np.nonzero(ink[:, round(LEFT + progress * (RIGHT - LEFT))])
        return 1.05 * (BOTTOM - rows.mean()) / (BOTTOM - TOP)

    return value


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Schedule("constant"), {0.1: 1, 0.9: 1}),
        (Schedule("window", 0.25, 0.5), {0.1: 0, 0.3: 1, 0.45: 1, 0.7: 0}),
        (Schedule("linear", 0.2, 0.8), {0.1: 0, 0.5: 0.5, 0.65: 0.75, 0.9: 1}),
        (Schedule("cosine"), {0.25: 0.146, 0.5: 0.5, 0.75: 0.854}),
        (Schedule("bell", center=1.0, width=1.0), {0.5: 1, 0.25: 0.547, 0.75: 0.547}),
        (Schedule("band", low=0.5, high=3.0), {0.2: 0, 0.3: 1, 0.6: 1, 0.7: 0}),
        (Schedule("points", points=((0.2, 1.0), (0.6, 0.2))), {0.1: 1, 0.4: 0.6, 0.8: 0.2}),
    ],
    ids=KINDS,
)
def test_the_curve_is_where_the_formula_says(schedule, expected):
    value = curve(schedule)
    assert {at: value(at) for at in expected} == pytest.approx(expected, abs=0.02)


def test_a_model_of_other_noise_shifts_a_bell():
    value = curve(Schedule("bell", width=1.0), noise_at=lambda p: 4 * flow_noise(p))
    assert value(0.8) == pytest.approx(1, abs=0.02)  # where 4 (1 - p) / p is 1


@pytest.mark.parametrize("kind", ["window", "linear", "cosine"])
def test_the_part_from_start_to_end_is_shaded(kind):
    found = np.asarray(draw_schedule(Schedule(kind, 0.25, 0.5))).astype(int)
    row = found[TOP + 40]
    inside, outside = (row[round(LEFT + p * (RIGHT - LEFT))] for p in (0.4, 0.8))
    assert (outside == 255).all()
    assert inside.max() == 254 or (inside < 255).any()


def test_values_beyond_0_and_1_fit_in_too():
    drawn = draw_schedule(Schedule("points", points=((0.0, -3.0), (1.0, 5.0))))
    found = np.asarray(drawn).astype(int)
    ink = np.abs(found - np.array(NAMED["text"])).max(2) < 40
    rows, columns = np.nonzero(ink)
    assert TOP <= rows.min() < rows.max() <= BOTTOM
    assert drawn.size == (WIDTH, HEIGHT)
    assert rows[columns.argmin()] > rows[columns.argmax()]


def test_a_flow_begins_in_noise_and_ends_without():
    assert (flow_noise(0), flow_noise(0.5), flow_noise(1)) == (float("inf"), 1, 0)
