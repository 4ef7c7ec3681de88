"""Rows compare by what they see; windows and modalities refuse what they cannot mean."""

import math
import struct

import pytest

from mm_core.errors import PlanError
from mm_core.types import NULL, Modality, Moment, Row, Window


def test_two_ways_of_saying_the_same_row_are_equal_and_hash_alike():
    said = [
        Row.of(["b", "a"]),
        Row.of({"a": 1.0, "b": 1.0, "c": 0.0}),
        Row((("a", 1.0), ("b", 1.0))),
    ]
    assert len(set(said)) == 1


def test_rows_of_different_strength_differ():
    assert Row.of({"a": 0.5}) != Row.of({"a": 1.0})


def test_a_row_tells_the_strength_of_what_it_sees_and_0_of_the_rest():
    row = Row.of({"a": 0.5, "b": -2.0})
    assert [row.strength(name) for name in "abc"] == [0.5, -2.0, 0.0]
    assert row.names == ("a", "b")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (NULL, "null"),
        (Row.of(["text", "depth"]), "depth+text"),
        (Row.of({"style": 0.25, "text": 1.0}), "style*0.25+text"),
    ],
)
def test_a_row_is_written_as_a_sum(row, said):
    assert str(row) == said


@pytest.mark.parametrize("ends", [(-0.1, 0.5), (0.5, 1.1), (0.6, 0.5), (math.nan, 1.0)])
def test_a_window_outside_0_to_1_or_backwards_is_refused(ends):
    with pytest.raises(PlanError, match=r"both ends must lie in 0\.\.1 with the start first"):
        Window(*ends)


def test_a_window_includes_its_start_and_not_its_end():
    window = Window(0.2, 0.6)
    assert [window.open_at(p) for p in (0.1999, 0.2, 0.5999, 0.6)] == [False, True, True, False]


def test_a_step_that_rounding_puts_just_before_a_start_is_inside():
    assert Window(0.6, 1.0).open_at(0.6 - 1e-7)
    assert not Window(0.0, 0.6).open_at(0.6 - 1e-7)


def test_a_window_that_is_none_names_what_it_is_of():
    with pytest.raises(PlanError, match=r"^depth: the window runs from 0\.6 to 0\.2; both ends"):
        Window(0.6, 0.2, "depth")
    assert Window(0.2, 0.6, "depth") == Window(0.2, 0.6)


def test_where_a_host_tells_what_has_begun_it_alone_decides():
    late = Moment(0.9, reached_at=lambda share: share <= 0.25)
    assert [Window(s, e).open_at(late) for s, e in ((0.0, 0.25), (0.2, 0.5), (0.3, 1.0))] == [
        False, True, False,
    ]  # fmt: skip
    assert Window(0.25, 1.0).open_at(late)


@pytest.mark.parametrize("ratio", [0.2, 1.0, 5.0, 20.0, 50.0])
def test_a_ratio_of_noise_is_not_passed_by_the_rounding_of_single_precision(ratio):
    sigma = struct.unpack("f", struct.pack("f", ratio / (1 + ratio)))[0]  # as a flow has it
    scaled = struct.unpack("f", struct.pack("f", ratio))[0]
    assert not Moment(0.5, sigma / (1 - sigma)).noisier(ratio)
    assert not Moment(0.5, scaled).noisier(ratio)
    assert Moment(0.5, 1.001 * ratio).noisier(ratio)


def test_the_default_window_is_all_of_sampling():
    assert Window() == Window(0.0, 1.0)


@pytest.mark.parametrize("weight", [math.nan, math.inf, -math.inf])
def test_a_weight_that_is_not_finite_is_refused(weight):
    with pytest.raises(PlanError, match=r"the weight of text is .*finite number, for example 1\.5"):
        Modality("text", weight)


def test_a_modality_of_weight_0_acts_nowhere():
    assert not Modality("text", 0.0).acts_at(0.5)
    assert Modality("text", -1.0).acts_at(0.5)


@pytest.mark.parametrize("progress", [1 - 1e-6, 1 - 1e-9, 1.0])
def test_a_window_to_1_is_open_at_the_last_evaluation_however_near_1(progress):
    assert Window().open_at(progress)
    assert Window(0.6, 1.0).open_at(progress)
    assert not Window(1.0, 1.0).open_at(progress)
    assert not Window(0.0, 0.9).open_at(progress)


@pytest.mark.parametrize(
    ("given", "ever"),
    [
        ({}, True),
        ({"weight": 0.0}, False),
        ({"weight": (0.0, 0.0)}, False),
        ({"weight": (0.0, 2.0)}, True),
        ({"window": Window(0.5, 0.5)}, False),
        ({"within": ()}, False),
        ({"within": (Window(0.2, 0.2), Window(0.4, 0.5))}, True),
    ],
)
def test_some_modalities_never_act(given, ever):
    modality = Modality("style", **given)
    assert modality.ever == ever
    assert any(modality.acts_at(k / 20) for k in range(20)) == ever
