"""Curves against values worked out by hand."""

import math

import pytest

from mm_core.errors import PlanError
from mm_core.guidance.schedule import Schedule
from mm_core.types import Moment

AT = (0.0, 0.25, 0.5, 0.75, 1.0)
CURVES = {
    "constant": (Schedule(), [1, 1, 1, 1, 1]),
    "window": (Schedule("window", start=0.25, end=0.75), [0, 1, 1, 0, 0]),
    "window to the end": (Schedule("window", start=0.5), [0, 0, 1, 1, 1]),
    "window that never opens": (Schedule("window", start=0.5, end=0.5), [0, 0, 0, 0, 0]),
    "linear": (Schedule("linear"), [0, 0.25, 0.5, 0.75, 1]),
    "linear, falling in part": (
        Schedule("linear", start=0.25, end=0.75, first=2.0, last=1.0), [2, 2, 1.5, 1, 1],
    ),
    "linear, at once": (Schedule("linear", start=0.5, end=0.5), [0, 0, 1, 1, 1]),
    "cosine": (Schedule("cosine"), [0, (1 - math.sqrt(0.5)) / 2, 0.5, (1 + math.sqrt(0.5)) / 2, 1]),
    "points": (Schedule("points", points=((0.25, 1.0), (0.75, -1.0))), [1, 1, 0, -1, -1]),
    "one point": (Schedule("points", points=((0.5, 0.3),)), [0.3] * 5),
}  # fmt: skip


@pytest.mark.parametrize(("schedule", "expected"), CURVES.values(), ids=CURVES.keys())
def test_values_over_sampling(schedule, expected):
    assert [schedule(Moment(p)) for p in AT] == pytest.approx(expected)


def test_a_bell_stands_on_one_noise_level_whatever_the_progress():
    bell = Schedule("bell", center=2.0, width=0.5)
    assert bell(Moment(0.1, 2.0)) == bell(Moment(0.9, 2.0)) == 1.0
    e_folds = [bell(Moment(0.5, 2.0 * math.exp(0.5 * k))) for k in (-2, -1, 1, 2)]
    assert e_folds == pytest.approx([math.exp(-2), math.exp(-0.5), math.exp(-0.5), math.exp(-2)])
    assert bell(Moment(0.0, math.inf)) == bell(Moment(1.0, 0.0)) == 0.0


def test_a_band_is_open_below_and_closed_above():
    band = Schedule("band", low=0.2, high=5.0)
    assert [band(Moment(0.5, n)) for n in (0.2, 0.21, 5.0, 5.1)] == [0, 1, 1, 0]


@pytest.mark.parametrize(
    "schedule",
    [Schedule("window", start=0.5), Schedule("linear", start=0.5, end=0.5)],
    ids=["window", "linear, at once"],
)
def test_what_begins_at_once_does_so_where_the_host_says(schedule):
    before, after = (Moment(0.5, reached_at=lambda share, b=b: b) for b in (False, True))
    assert (schedule(before), schedule(after)) == (0.0, 1.0)


def test_a_band_forgives_the_rounding_of_single_precision():
    band = Schedule("band", low=0.2, high=5.0)
    assert [band(Moment(0.5, n)) for n in (0.200000003, 5.0000004)] == [0, 1]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kind": "sine"}, r"no schedule 'sine'; choose from \['constant', "),
        ({"kind": "window", "start": 0.7, "end": 0.2}, "runs from 0.7 to 0.2; both ends must lie"),
        ({"kind": "bell", "width": 0.0}, "its width 0; both must be above 0"),
        ({"kind": "points"}, r"points lie at \[\]; needed at least one"),
        ({"kind": "points", "points": ((0.5, 1.0), (0.2, 1.0))}, "each further than the one"),
        ({"kind": "linear", "last": math.nan}, "needs finite numbers"),
        ({"kind": "band", "low": 5.0, "high": 0.2}, "above 5 and not above 0.2 times the signal"),
        ({"kind": "band", "low": -1.0}, "its low must be 0 or more and below its high"),
    ],
)
def test_what_is_no_curve_is_refused(settings, words):
    with pytest.raises(PlanError, match=words):
        Schedule(**settings)


def test_a_kind_that_has_no_ends_does_not_look_at_them():
    assert Schedule("constant", start=0.9, end=0.1)(Moment(0.5)) == 1.0
