"""Filled ellipses, discs and thick lines on a grid of pixels, by whole-number arithmetic.

A ControlNet has seen skeletons as OpenCV draws them, so the rules of its rasteriser decide which
pixels are painted: an ellipse is a polygon of one vertex a degree in whole pixels, a polygon is its
outline and the spans between its two sides, slopes are 16-bit fixed point. They are re-derived
here, and tested against pictures that OpenCV made.

A canvas is uint8 (h, w, 3) and is painted in place; what lies outside it is not painted. Points are
(x, y) in pixels, x to the right, y down.
"""

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ...types import Float, Tensor

Canvas: TypeAlias = npt.NDArray[np.uint8]
Color: TypeAlias = tuple[int, int, int]
Points: TypeAlias = npt.NDArray[np.int64]  # (n, 2)

BITS = 16
ONE = 1 << BITS  # one pixel in fixed point
HALF = ONE >> 1
FARTHEST = 1 << 20  # pixels; beyond it fixed-point products would leave 64 bits

# Sines of whole degrees have seven decimals, as the annotators' do; exact ones would turn halves
# of a pixel the other way.
_SINE = np.round([math.sin(math.radians(d)) for d in range(451)], 7).astype(np.float32)
_SINE = _SINE.astype(np.float64)


def ellipse(center: tuple[int, int], axes: tuple[int, int], degrees: int) -> Points:
    """Vertices of an ellipse with these half axes, the first axis turned by degrees.

    One vertex a degree, rounded to pixels (halves to even), without repetitions.
    """
    turn = degrees % 360
    cos, sin = _SINE[450 - turn], _SINE[turn]
    around = np.arange(361)
    x, y = axes[0] * _SINE[450 - around], axes[1] * _SINE[around]
    turned = np.stack([center[0] + x * cos - y * sin, center[1] + x * sin + y * cos], 1)
    points = np.rint(turned).astype(np.int64)
    new = np.ones(len(points), bool)
    new[1:] = (points[1:] != points[:-1]).any(1)
    return points[new]


def fill_polygon(canvas: Canvas, points: Points, color: Color) -> None:
    """Paints a convex polygon of whole-pixel vertices, its outline included."""
    starts, ends = _cut(np.roll(points, 1, axis=0), points, canvas.shape[1], canvas.shape[0])
    _paint(canvas, _lines(starts, ends), color)
    _fill_spans(canvas, points * ONE, color)


def fill_disc(canvas: Canvas, center: tuple[int, int], radius: int, color: Color) -> None:
    """Paints the pixels whose centres are no farther than radius from the centre's."""
    axis = np.arange(-radius, radius + 1)
    y, x = np.nonzero(axis[:, None] ** 2 + axis**2 <= radius**2)
    _paint(canvas, np.stack([x, y], 1) - radius + np.array(center, np.int64), color)


def draw_line(canvas: Canvas, start: tuple[int, int], end: tuple[int, int], color: Color) -> None:
    """Paints a line two pixels thick: a rectangle one pixel to each side, a disc at both ends.

    It is cut at a border of its thickness around the canvas first, in whole pixels.
    """
    height, width = canvas.shape[:2]
    starts, ends = np.array([start], np.int64) + 2, np.array([end], np.int64) + 2
    for a, b in zip(*_cut(starts, ends, width + 4, height + 4), strict=True):
        a, b = a - 2, b - 2
        dx, dy = (b - a).tolist()
        if length := math.hypot(dx, dy):
            side = np.array([round(dy * ONE / length), -round(dx * ONE / length)], np.int64)
            corners = np.stack([a * ONE + side, a * ONE - side, b * ONE - side, b * ONE + side])
            _paint(canvas, _fixed_outline(corners, width, height), color)
            _fill_spans(canvas, corners, color)
        for point in (a, b):
            fill_disc(canvas, (int(point[0]), int(point[1])), 1, color)


def places_of(points: Float[Tensor, "n 3"], seen: float) -> list[tuple[float, float] | None]:
    """x and y of points; None where one is not as sure as seen, or farther than any picture."""
    return [
        (x, y) if c >= seen and max(abs(x), abs(y)) < FARTHEST else None
        for x, y, c in points.tolist()
    ]


def pixels_of(points: Float[Tensor, "n 3"], seen: float) -> list[tuple[int, int] | None]:
    """The same as whole pixels, cut towards 0."""
    return [place and (int(place[0]), int(place[1])) for place in places_of(points, seen)]


def inside(canvas: Canvas, point: tuple[int, int]) -> bool:
    """Whether a pixel lies on the canvas."""
    return 0 <= point[0] < canvas.shape[1] and 0 <= point[1] < canvas.shape[0]


def _paint(canvas: Canvas, points: Points, color: Color) -> None:
    height, width = canvas.shape[:2]
    inside = ((points >= 0) & (points < [width, height])).all(1)
    canvas[points[inside, 1], points[inside, 0]] = color


def _lines(starts: Points, ends: Points) -> Points:
    """Every pixel of lines between whole pixels: the nearest, halves towards the left end."""
    swap = starts[:, :1] > ends[:, :1]
    left, right = np.where(swap, ends, starts), np.where(swap, starts, ends)
    delta = right - left
    steps = np.abs(delta).max(1)
    of = np.repeat(np.arange(len(steps)), steps + 1)
    k = (np.arange(len(of)) - np.repeat(np.cumsum(steps + 1) - steps - 1, steps + 1))[:, None]
    far, long = np.abs(delta)[of], np.maximum(steps, 1)[of][:, None]
    return left[of] + np.sign(delta)[of] * -((long - 2 * k * far) // (2 * long))


def _fixed_outline(corners: Points, width: int, height: int) -> Points:
    """Every pixel of the sides of a polygon in fixed point, which step from their left end (from
    their upper one where they are steep) by whole pixels, and the pixel of the other end."""
    starts, ends = _cut(np.roll(corners, 1, axis=0), corners, ONE * width, ONE * height)
    found = []
    for a, b in zip(starts, ends, strict=True):
        main = 0 if abs(b[0] - a[0]) > abs(b[1] - a[1]) else 1
        first, last = (b, a) if b[main] < a[main] else (a, b)
        delta = last - first
        slope = _divide(delta * ONE, np.full(2, delta[main] | 1))
        slope[main] = ONE
        k = np.arange((delta[main] >> BITS) + 1)[:, None]
        found += [(first + HALF + k * slope) >> BITS, (last[None] + HALF) >> BITS]
    return np.concatenate(found) if found else np.zeros((0, 2), np.int64)


def _fill_spans(canvas: Canvas, points: Points, color: Color) -> None:
    """Paints what lies between the two sides of a convex polygon in fixed point, row by row.

    The last row is the outline's.
    """
    height, width = canvas.shape[:2]
    top = int(points[:, 1].argmin())
    forward = np.roll(points, -top, axis=0)
    backward = np.roll(forward[::-1], 1, axis=0)
    first, sides = _side(forward)
    _, others = _side(backward)
    low, high = np.minimum(sides, others), np.maximum(sides, others)
    low, high = (low + HALF) >> BITS, (high + HALF) >> BITS
    for row, a, b in zip(range(first, first + len(low)), low, high, strict=True):
        if 0 <= row < height and b >= 0 and a < width:
            canvas[row, max(a, 0) : b + 1] = color


def _side(points: Points) -> tuple[int, Points]:
    """Where one side of a polygon, from its top to its bottom, crosses each row but the last.

    The first row, and x in fixed point at each.
    """
    rows = (points[:, 1] + HALF) >> BITS
    points, rows = points[: rows.argmax() + 1], rows[: rows.argmax() + 1]
    fall = np.diff(rows)
    there = fall > 0
    x, fall, across = points[:-1, 0][there], fall[there], np.diff(points[:, 0])[there]
    slope = _divide(2 * across + fall, 2 * fall)
    k = np.arange(fall.sum()) - np.repeat(np.cumsum(fall) - fall, fall)
    return int(rows[0]), np.repeat(x, fall) + k * np.repeat(slope, fall)


def _cut(starts: Points, ends: Points, width: int, height: int) -> tuple[Points, Points]:
    """Lines without what lies outside the canvas: cut at its rows first, then at its columns.

    Cut places are rounded towards the end that was outside.
    """
    last = np.array([width, height], np.int64) - 1
    a, b = starts.copy(), ends.copy()
    for axis in (1, 0):
        for near, far in ((a, b), (b, a)):
            border = near[:, axis].clip(0, last[axis])
            out = (near[:, axis] != border) & ~_beside(a, b, last)
            run = (far - near)[out]
            beyond = (border - near[:, axis])[out]
            near[out, 1 - axis] += _divide(beyond * run[:, 1 - axis], run[:, axis])
            near[out, axis] = border[out]
    keep = ((a >= 0) & (a <= last) & (b >= 0) & (b <= last)).all(1)
    return a[keep], b[keep]


def _beside(a: Points, b: Points, last: Points) -> npt.NDArray[np.bool_]:
    """Whether both ends lie beyond the same border."""
    outside: npt.NDArray[np.bool_] = ((a < 0) & (b < 0)) | ((a > last) & (b > last))
    return np.any(outside, axis=1)


def _divide(a: Points, b: Points) -> Points:
    """Whole-number division towards zero."""
    return np.sign(a) * np.sign(b) * (np.abs(a) // np.abs(b))
