"""The figures of `mmc bench style` as one picture: each way over its own weight, and style over
text for all of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from PIL import Image

from ...guidance.chart.axes import SMALL, Frame, heading, levels
from ...guidance.chart.canvas import Canvas, Point, width_of
from ...guidance.chart.palette import (
    FAINT,
    GRID,
    INK,
    NAMED,
    PAPER,
    Color,
    Number,
    colors,
    lighter,
    mixed,
)

WIDTH, HEIGHT, MARGIN = 1000, 620, 28
LABEL = 44  # room for the values of an axis
TINTS = {"leave_one_out": NAMED["style"], "independent": NAMED["depth"], "one CFG": NAMED["text"]}
Line = Sequence[Mapping[str, Any]]
"""The points of one curve, by rising weight."""


@dataclass(frozen=True)
class Axis:
    """low and high are the ends; ticks lie between them."""

    low: Number
    high: Number
    ticks: tuple[Number, ...]

    @classmethod
    def around(cls, values: Sequence[Number], step: Number) -> "Axis":
        """From one multiple of step to another, with all values between."""
        first, last = math.floor(min(values) / step), math.ceil(max(values) / step)
        last = max(last, first + 1)
        return cls(first * step, last * step, tuple(k * step for k in range(first, last + 1)))

    def share(self, value: Number) -> Number:
        """0 at low, 1 at high."""
        return (value - self.low) / (self.high - self.low)


def draw(found: Mapping[str, Any]) -> Image.Image:
    """1000 x 620. found: what style.compare() gives."""
    lines = curves(found["points"])
    tint = tints(lines)
    middle = lines_at(lines, found["points"][0]["text_weight"])
    canvas = Canvas(WIDTH, HEIGHT)
    canvas.text((MARGIN, 28), "Style beside text", INK, 20)
    said = f"{found['scenes']} held-out scenes, {found['steps']} steps; bars: 95 % intervals"
    canvas.text((WIDTH - MARGIN, 29), said, FAINT, 12, "rm")
    upper = Frame(MARGIN + LABEL, 126, 400, 310)
    lower = Frame(upper.left, 386, upper.right, 540)
    wide = Frame(500, 126, WIDTH - MARGIN, 540)
    points = [p for line in middle.values() for p in line]
    weights = Axis.around([0.0, *(p["weight"] for p in points)], 1)
    style = Axis.around([v for p in points for v in p["style_interval"]], 20)
    text = Axis.around([v for p in points for v in p["text_interval"]], 5)
    heading(canvas, (MARGIN, 108), "Style", "% right texture families, over the weight")
    _over_weight(canvas, upper, middle, tint, (weights, style), "style")
    heading(canvas, (MARGIN, 368), "Text", "mean of colour, shape and relation, %")
    _over_weight(canvas, lower, middle, tint, (weights, text), "text")
    below = "the style's guidance weight, or the adapter's strength"
    canvas.text((lower.right, lower.bottom + 22), below, FAINT, SMALL, "rt")
    heading(canvas, (wide.left - LABEL, 108), "Style over text", "numbers: the weight")
    _style_over_text(canvas, wide, lines, tint)
    _legend(canvas, tint)
    return canvas.finish()


def curves(points: Line) -> dict[str, list[Mapping[str, Any]]]:
    """The points of each curve by rising weight."""
    out: dict[str, list[Mapping[str, Any]]] = {}
    for point in points:
        out.setdefault(point["curve"], []).append(point)
    return {name: sorted(line, key=lambda p: p["weight"]) for name, line in out.items()}


def lines_at(lines: Mapping[str, Line], text: float) -> dict[str, Line]:
    """The curves whose text weight, or CFG, is this number."""
    return {name: line for name, line in lines.items() if line[0]["text_weight"] == text}


def tints(lines: Mapping[str, Line]) -> dict[str, Color]:
    """A colour for each way; its curves are the darker, the higher their text weight."""
    out = {}
    for name, line in lines.items():
        way, text = line[0]["way"], line[0]["text_weight"]
        same = sorted({o[0]["text_weight"] for o in lines.values() if o[0]["way"] == way})
        base = TINTS.get(way) or colors([way])[way]
        place = same.index(text) / max(1, len(same) - 1) if len(same) > 1 else 0.5
        shade = 1 - 2 * place
        out[name] = lighter(base, 0.5 * shade) if shade > 0 else mixed(base, INK, -0.6 * shade)
    return out


def _over_weight(
    canvas: Canvas,
    frame: Frame,
    lines: Mapping[str, Line],
    tint: Mapping[str, Color],
    axes: tuple[Axis, Axis],
    name: str,
) -> None:
    across, up = axes
    levels(canvas, frame, up.ticks, up.share)
    _below(canvas, frame, across)
    for k, (curve, line) in enumerate(lines.items()):
        beside = 2.0 * (k - (len(lines) - 1) / 2)  # or bars of equal weights would hide each other
        at = [(frame.x(across.share(p["weight"])) + beside, p) for p in line]
        for x, p in at:
            low, high = (frame.y(up.share(end)) for end in p[f"{name}_interval"])
            canvas.line([(x, low), (x, high)], lighter(tint[curve], 0.5), 1.2)
        _line(canvas, [(x, frame.y(up.share(p[name]))) for x, p in at], tint[curve])


def _style_over_text(
    canvas: Canvas, frame: Frame, lines: Mapping[str, Line], tint: Mapping[str, Color]
) -> None:
    seen = [p for line in lines.values() for p in line if p["weight"]]
    across = Axis.around([p["text"] for p in seen], 2)
    up = Axis.around([p["style"] for p in seen], 5)
    levels(canvas, frame, up.ticks, up.share)
    _below(canvas, frame, across)
    shown = {curve: [p for p in line if p["weight"]] for curve, line in lines.items()}
    at = {
        curve: [(frame.x(across.share(p["text"])), frame.y(up.share(p["style"]))) for p in line]
        for curve, line in shown.items()
    }
    for curve, places in at.items():
        _line(canvas, places, tint[curve])
    taken = [middle for places in at.values() for middle in _along(places)]
    for curve, line in shown.items():
        for place, p in zip(at[curve], line, strict=True):
            words = f"{p['weight']:g}"
            free = _free(place, width_of(words, SMALL), taken)
            canvas.text(free, words, tint[curve], SMALL, "mm")
    said = "text: mean of colour, shape and relation, %"
    canvas.text((frame.right, frame.bottom + 22), said, FAINT, SMALL, "rt")


def _along(places: Sequence[Point]) -> list[Point]:
    """The points of a curve, and more on its lines, some ten pixels apart."""
    out = list(places)
    for (x, y), (u, v) in pairwise(places):
        count = 1 + int(math.dist((x, y), (u, v)) / 10)
        out += [(x + (u - x) * k / count, y + (v - y) * k / count) for k in range(1, count)]
    return out


def _free(place: Point, width: Number, taken: list[Point]) -> Point:
    """A place for a number beside a point, away from lines and from numbers that stand already."""
    x, y = place
    aside = width / 2 + 8
    offsets = [(aside, 0), (-aside, 0), (aside, -8), (-aside, -8), (aside, 9), (-aside, 9),
               (0, -13), (0, 14)]  # fmt: skip
    crowd = {
        (x + dx, y + dy): sum(max(0.0, 16 - math.dist((x + dx, y + dy), o)) for o in taken)
        for dx, dy in offsets
    }
    best = min(crowd, key=lambda at: crowd[at])
    taken += [best] * 2
    return best


def _below(canvas: Canvas, frame: Frame, axis: Axis) -> None:
    for value in axis.ticks:
        x = frame.x(axis.share(value))
        canvas.line([(x, frame.bottom), (x, frame.bottom + 4)], FAINT)
        canvas.text((x, frame.bottom + 6), f"{value:g}", FAINT, SMALL, "mt")
    canvas.line([(frame.left, frame.bottom), (frame.right, frame.bottom)], GRID)


def _line(canvas: Canvas, at: Sequence[Point], color: Color) -> None:
    canvas.line(at, color, 2)
    for place in at:
        canvas.dot(place, 3, color, PAPER)


def _legend(canvas: Canvas, tint: Mapping[str, Color]) -> None:
    columns, wide = 4, (WIDTH - 2 * MARGIN) / 4
    for k, (name, color) in enumerate(tint.items()):
        x, y = MARGIN + (k % columns) * wide, 60 + (k // columns) * 18
        canvas.box((x, y - 5, x + 10, y + 5), color)
        canvas.text((x + 16, y), name, INK, 12)
