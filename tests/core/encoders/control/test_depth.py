"""Depth pictures: the formulas, and readings that are none."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mm_core.encoders.control.depth import depth_map
from mm_core.errors import InputError

INF, NAN = float("inf"), float("nan")


def row(*values):
    return torch.tensor(values, dtype=torch.float32).view(1, 1, 1, -1)


def grey(picture):
    """The one channel that all three are."""
    assert torch.equal(picture[:, :1].expand(-1, 3, -1, -1), picture)
    return picture[:, 0]


def values(picture):
    return grey(picture).flatten().tolist()


def test_inverse_depth_is_spread_from_its_least_to_its_most():
    assert values(depth_map(row(2, 3, 6))) == pytest.approx([0, 0.25, 1])


def test_metres_are_spread_by_their_inverse():
    # 1/1, 1/2, 1/4: near is white, and 2 m lies a third of the way up from 4 m.
    assert values(depth_map(row(1, 2, 4), "metres")) == pytest.approx([1, 1 / 3, 0])


def test_fixed_ends_are_the_disparity_formula():
    near, far = 0.8, 12.0
    metres = [0.5, 0.8, 1.7, 6.0, 12.0, 50.0]
    expected = [(1 / min(max(m, near), far) - 1 / far) / (1 / near - 1 / far) for m in metres]
    found = values(depth_map(row(*metres), "metres", "fixed", low=near, high=far))
    assert found == pytest.approx(expected, abs=1e-6)
    assert expected[0] == 1
    assert expected[-1] == 0


@pytest.mark.parametrize(("low", "high"), [(2.0, 98.0), (0.0, 90.0), (25.0, 75.0)])
def test_percentiles_are_numpys(noise, low, high):
    depth = noise(1, 1, 20, 30).abs()
    a, b = np.percentile(depth.numpy(), [low, high])
    found = grey(depth_map(depth, how="percentile", low=low, high=high))
    expected = ((depth[:, 0] - float(a)) / float(b - a)).clamp(0, 1)
    torch.testing.assert_close(found, expected)


def test_usual_percentiles_are_2_and_98(noise):
    depth = noise(1, 1, 9, 9).abs()
    usual = depth_map(depth, how="percentile")
    assert torch.equal(usual, depth_map(depth, how="percentile", low=2.0, high=98.0))


@pytest.mark.parametrize("how", ["min-max", "percentile", "fixed"])
@pytest.mark.parametrize("none", [0.0, -1.0, INF, -INF, NAN])
def test_metres_that_are_no_reading_are_far_and_change_nothing_else(how, none):
    with_hole = values(depth_map(row(1, none, 2, 4), "metres", how))
    without = values(depth_map(row(1, 2, 4), "metres", how))
    assert with_hole[1] == 0
    assert [with_hole[k] for k in (0, 2, 3)] == pytest.approx(without)


@pytest.mark.parametrize("none", [-1.0, INF, -INF, NAN])
def test_inverse_depth_that_is_no_reading_is_far_and_changes_nothing_else(none):
    assert values(depth_map(row(2, none, 3, 6))) == pytest.approx([0, 0, 0.25, 1])


def test_an_inverse_depth_of_0_is_a_reading_infinitely_far():
    assert values(depth_map(row(0, 3, 6))) == pytest.approx([0, 0.5, 1])


@pytest.mark.parametrize("unit", ["inverse", "metres"])
@pytest.mark.parametrize("how", ["min-max", "percentile"])
def test_a_constant_map_is_as_near_as_any(unit, how):
    assert values(depth_map(row(3, 3, NAN, 3), unit, how)) == [1, 1, 0, 1]


@pytest.mark.parametrize("how", ["min-max", "percentile", "fixed"])
def test_a_map_without_a_reading_is_black(how):
    assert values(depth_map(row(NAN, -1, 0), "metres", how)) == [0, 0, 0]


def test_frames_have_their_own_scale_or_one_together():
    film = torch.cat([row(1, 2), row(2, 5)])
    assert grey(depth_map(film)).flatten().tolist() == [0, 1, 0, 1]
    together = grey(depth_map(film, together=True)).flatten().tolist()
    assert together == [0, 0.25, 0.25, 1]


@given(st.lists(st.floats(0.125, 100, width=32), min_size=2, max_size=9), st.floats(0.25, 8))
def test_the_scale_of_inverse_depth_and_of_metres_means_nothing_to_relative_maps(depth, scale):
    for unit in ("inverse", "metres"):
        one, other = depth_map(row(*depth), unit), depth_map(row(*depth) * scale, unit)
        spread = max(depth) / min(depth) - 1
        if spread > 1e-3:
            torch.testing.assert_close(one, other, rtol=0, atol=1e-6 / min(spread, 1))


@given(st.lists(st.floats(0.125, 100, width=32), min_size=2, max_size=9))
def test_who_is_nearer_is_never_darker(metres):
    for how in ("min-max", "percentile", "fixed"):
        found = values(depth_map(row(*metres), "metres", how))
        assert all(0 <= v <= 1 for v in found)
        order = sorted(range(len(metres)), key=lambda k: metres[k])
        assert all(found[a] >= found[b] for a, b in pairwise(order))


def test_half_precision_is_read():
    assert depth_map(row(1, 2, 4).half(), "metres").dtype == torch.float32


def test_samples_do_not_see_each_other(noise):
    depth = noise(3, 1, 4, 5).abs()
    for how in ("min-max", "percentile"):
        assert torch.equal(depth_map(depth, how=how)[1:2], depth_map(depth[1:2], how=how))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"how": "fixed"}, "fixed scale for inverse depth"),
        ({"how": "fixed", "unit": "metres", "low": 0.0}, "found 0 to 20 metres"),
        ({"how": "fixed", "unit": "metres", "low": 3.0, "high": 3.0}, "found 3 to 3 metres"),
        ({"how": "fixed", "unit": "metres", "high": INF}, "found 0.5 to inf metres"),
        ({"how": "percentile", "low": 60.0, "high": 40.0}, "found percentiles 60 to 40"),
        ({"how": "percentile", "high": 101.0}, "found percentiles 2 to 101"),
        ({"how": "percentile", "low": NAN}, "found percentiles nan to 98"),
    ],
)
def test_ends_that_are_none_are_refused(settings, said):
    with pytest.raises(InputError, match=f"{said}.*needed"):
        depth_map(row(1, 2), **settings)
