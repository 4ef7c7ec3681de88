"""What a program will run, before it has run."""

from collections.abc import Mapping, Sequence
from typing import Any

from .axes import SMALL, Frame
from .canvas import Canvas
from .palette import FAINT, GRID, INK, Color, diverging, readable_on

LARGE = 3.0  # a coefficient that is shown in the full colour


def windows(
    canvas: Canvas,
    frame: Frame,
    modalities: Sequence[Mapping[str, Any]],
    colors: Mapping[str, Color],
) -> None:
    """A bar for each input, over the part of sampling in which it acts, with its weight."""
    height = frame.height / max(1, len(modalities))
    for k, m in enumerate(modalities):
        top = frame.top + k * height + 2
        bar = (frame.x(m["start"]), top, frame.x(m["end"]), top + height - 4)
        canvas.box((frame.left, top, frame.right, top + height - 4), outline=GRID)
        canvas.box(bar, colors[m["name"]])
        if bar[2] - bar[0] > 60:
            ink = readable_on(colors[m["name"]])
            canvas.text((bar[0] + 6, top + height / 2 - 2), weight_of(m), ink, SMALL)
        else:
            canvas.text((bar[2] + 6, top + height / 2 - 2), weight_of(m), INK, SMALL)
    progress(canvas, frame)


def coefficients(
    canvas: Canvas, frame: Frame, stages: Sequence[Mapping[str, Any]], rows: Sequence[str]
) -> None:
    """A line for each row; in each part of sampling the number it is multiplied by."""
    height = frame.height / max(1, len(rows))
    for k, name in enumerate(rows):
        top = frame.top + k * height + 1
        for stage in stages:
            if name not in stage["rows"]:
                continue
            value = stage["rows"][name]
            color = diverging(value / LARGE)
            left, right = frame.x(stage["start"]), frame.x(stage["end"])
            canvas.box((left + 1, top, right - 1, top + height - 2), color, GRID, 0.7)
            if right - left > 34:
                at = ((left + right) / 2, top + height / 2 - 1)
                size = SMALL if height >= 13 else 9
                canvas.text(at, f"{value:+.3g}", readable_on(color), size, "mm")
    progress(canvas, frame)


def progress(canvas: Canvas, frame: Frame, name: str = "progress of sampling") -> None:
    """0 to 1 below."""
    for share in (0, 0.25, 0.5, 0.75, 1):
        canvas.line([(frame.x(share), frame.bottom), (frame.x(share), frame.bottom + 4)], FAINT)
        canvas.text((frame.x(share), frame.bottom + 6), f"{share:g}", FAINT, SMALL, "mt")
    canvas.text((frame.right, frame.bottom + 19), name, FAINT, SMALL, "rt")


def weight_of(modality: Mapping[str, Any]) -> str:
    """The weight in words; of several images, their range."""
    weight = modality["weight"]
    if isinstance(weight, float | int):
        return f"{weight:g}"
    return f"{min(weight):g} to {max(weight):g}"
