"""The rasteriser's rules in closed form. Whole skeletons are compared with OpenCV's elsewhere."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mm_core.encoders.control.raster import (
    draw_line,
    ellipse,
    fill_disc,
    fill_polygon,
    inside,
    pixels_of,
)

RED = (255, 0, 0)
places = st.integers(-40, 100)


def canvas(width=60, height=50):
    return np.zeros((height, width, 3), np.uint8)


def lit(painted):
    """(x, y) of the painted pixels."""
    return {(x, y) for y, x in np.argwhere(painted.any(-1)).tolist()}


def test_a_disc_is_every_pixel_within_its_radius():
    c = canvas()
    fill_disc(c, (20, 10), 4, RED)
    assert lit(c) == {
        (x, y) for x in range(60) for y in range(50) if (x - 20) ** 2 + (y - 10) ** 2 <= 16
    }
    assert (c[10, 20] == RED).all()


def test_what_lies_outside_is_not_painted():
    c = canvas()
    fill_disc(c, (0, 49), 3, RED)
    assert lit(c) == {(x, y) for x in range(4) for y in range(46, 50) if x**2 + (y - 49) ** 2 <= 9}
    fill_disc(c, (-9, 70), 3, RED)
    draw_line(c, (-9, -9), (-5, 90), RED)
    fill_polygon(c, ellipse((100, 100), (20, 4), 30), RED)
    assert (c[:40] == 0).all()


@pytest.mark.parametrize("degrees", [0, 37, -90, 180])
def test_an_ellipse_keeps_within_half_a_pixel_of_itself(degrees):
    points = ellipse((100, 80), (50, 4), degrees)
    turn = math.radians(degrees)
    x, y = (points - [100, 80]).T
    along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    off = np.abs(np.hypot(along, across / 4 * 50) - 50) * 4 / 50
    assert off.max() <= math.hypot(0.5, 0.5)
    assert not (points[1:] == points[:-1]).all(1).any()


@pytest.mark.parametrize(("center", "row"), [(0, 2), (1, 4), (2, 4)])
def test_halves_of_a_pixel_go_to_the_even_one(center, row):
    # At 30 degrees of the way around, 866 pixels to the right, a half axis of 5 is 2.5 down.
    points = ellipse((0, center), (1000, 5), 0)
    assert max(y for x, y in points.tolist() if x == 866) == row


def test_an_upright_rectangle_is_filled_with_its_outline():
    c = canvas()
    fill_polygon(c, np.array([[5, 7], [12, 7], [12, 20], [5, 20]]), RED)
    assert lit(c) == {(x, y) for x in range(5, 13) for y in range(7, 21)}


def test_a_point_and_a_flat_polygon_are_their_outline():
    c = canvas()
    fill_polygon(c, np.array([[5, 7], [5, 7]]), RED)
    assert lit(c) == {(5, 7)}
    fill_polygon(c, np.array([[5, 9], [11, 9]]), RED)
    assert lit(c) == {(5, 7), *((x, 9) for x in range(5, 12))}


@given(*[st.integers(0, 49)] * 6)
def test_a_filled_triangle_is_the_pixels_within_half_a_pixel_of_it(ax, ay, bx, by, cx, cy):
    c = canvas()
    points = np.array([[ax, ay], [bx, by], [cx, cy]])
    fill_polygon(c, points, RED)
    y, x = np.mgrid[:50, :60]
    inner = np.full(x.shape, np.inf)
    for (px, py), (qx, qy) in zip(points, np.roll(points, -1, 0), strict=True):
        length = math.hypot(qx - px, qy - py) or 1
        inner = np.minimum(inner, ((qx - px) * (y - py) - (qy - py) * (x - px)) / length)
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    if area > 0:  # otherwise inner has the other sign, or is a line
        assert c.any(-1)[inner >= 0.501].all()
        assert not c.any(-1)[inner < -0.501].any()


@given(places, places, places, places)
def test_a_line_is_two_pixels_thick_and_round_at_its_ends(ax, ay, bx, by):
    c = canvas()
    draw_line(c, (ax, ay), (bx, by), RED)
    y, x = np.mgrid[:50, :60]
    long = (bx - ax) ** 2 + (by - ay) ** 2
    share = (((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / max(long, 1)).clip(0, 1)
    away = np.hypot(x - ax - share * (bx - ax), y - ay - share * (by - ay))
    painted = c.any(-1)
    assert painted[away <= 0.7].all()
    # Lines are cut in whole pixels where they leave the canvas, which turns them a little.
    assert not painted[away > 3].any()


def test_a_line_runs_alike_in_both_directions_and_has_its_colour():
    one, other = canvas(), canvas()
    draw_line(one, (3, 4), (40, 30), (1, 2, 3))
    draw_line(other, (40, 30), (3, 4), (1, 2, 3))
    assert lit(one) == lit(other)
    assert (one[4, 3] == (1, 2, 3)).all()


def test_points_are_cut_to_pixels_where_they_are_seen():
    points = torch.tensor(
        [[1.9, 2.0, 1.0], [-0.5, 3.0, 0.3], [5.0, 5.0, 0.29]], dtype=torch.float64
    )
    assert pixels_of(points, 0.3) == [(1, 2), (0, 3), None]


def test_the_canvas_ends_at_its_last_pixel():
    assert inside(canvas(), (59, 49))
    assert not inside(canvas(), (60, 0))
    assert not inside(canvas(), (0, -1))
