"""Frames, grids and labels around a plot."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .canvas import Canvas, Point, width_of
from .palette import FAINT, GRID, INK, Number

SMALL = 11


@dataclass(frozen=True)
class Frame:
    """Where a plot lies on the canvas, in pixels; y falls towards the bottom."""

    left: Number
    top: Number
    right: Number
    bottom: Number

    @property
    def width(self) -> Number:
        return self.right - self.left

    @property
    def height(self) -> Number:
        return self.bottom - self.top

    @property
    def middle(self) -> Point:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def x(self, share: Number) -> Number:
        """0 is the left end, 1 the right one."""
        return self.left + share * self.width

    def y(self, share: Number) -> Number:
        """0 is the bottom, 1 the top."""
        return self.bottom - share * self.height

    def columns(self, count: int) -> list[tuple[Number, Number]]:
        """The two ends of each of `count` equal columns."""
        return [(self.x(i / count), self.x((i + 1) / count)) for i in range(count)]


def heading(canvas: Canvas, at: Point, title: str, note: str = "") -> None:
    """A plot's title, and its unit or how to read it in grey behind."""
    canvas.text(at, title, INK, 14, "ls")
    canvas.text((at[0] + width_of(title, 14) + 8, at[1]), note, FAINT, SMALL, "ls")


def message(canvas: Canvas, frame: Frame, words: str) -> None:
    """In place of a plot: why there is none."""
    canvas.box((frame.left, frame.top, frame.right, frame.bottom), outline=GRID)
    canvas.text(frame.middle, words, FAINT, 12, "mm")


def levels(
    canvas: Canvas, frame: Frame, values: Sequence[Number], share: Callable[[Number], Number]
) -> None:
    """Grid lines across, with their values to the left. share: value -> 0 (bottom) to 1."""
    for value in values:
        y = frame.y(share(value))
        canvas.line([(frame.left, y), (frame.right, y)], GRID)
        canvas.text((frame.left - 6, y), f"{value:g}", FAINT, SMALL, "rm")


def evaluations(canvas: Canvas, frame: Frame, count: int) -> None:
    """Numbers of evaluations below, from 1."""
    every = next(k for k in (1, 2, 5, 10, 20, 50, 100, 200, 500, 10**9) if count / k <= 12)
    for i, (left, right) in enumerate(frame.columns(count), 1):
        if i == 1 or i % every == 0:
            canvas.text(((left + right) / 2, frame.bottom + 5), str(i), FAINT, SMALL, "mt")
    canvas.text((frame.right, frame.bottom + 19), "evaluation", FAINT, SMALL, "rt")


def round_levels(high: Number, most: int = 4) -> list[Number]:
    """At most `most` + 1 round values from 0 to the first one that is not below `high`."""
    if not high > 0:
        return [0.0, 1.0]
    power = 10.0 ** math.floor(math.log10(high / most))
    step = next(k * power for k in (1, 2, 2.5, 5, 10, 20) if k * power * most >= high * (1 - 1e-9))
    count = math.ceil(high / step - 1e-9)
    return [k * step for k in range(count + 1)]
