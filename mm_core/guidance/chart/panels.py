"""The plots of a finished run, each into its own frame. docs/equations.md, equations 14 and 15."""

from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

from ..trace import OVERSHOOTING
from .axes import SMALL, Frame, evaluations, levels, message, round_levels
from .canvas import Canvas, fitted
from .palette import (
    FAINT,
    GRID,
    INK,
    PAPER,
    RUN,
    WARNING,
    Color,
    Number,
    diverging,
    lighter,
    readable_on,
)

Steps = Sequence[Mapping[str, Any]]
DENSE = 40  # evaluations beyond which single ones are not set apart


def push_shares(canvas: Canvas, frame: Frame, steps: Steps, colors: Mapping[str, Color]) -> None:
    """A column for each evaluation, stacked in the order of colors; lighter where stale."""
    if not colors:
        return message(canvas, frame, _why_nothing(steps))
    levels(canvas, frame, (0, 25, 50, 75, 100), lambda percent: percent / 100)
    gap = 0.5 if len(steps) <= DENSE else 0.0
    for step, (left, right) in zip(steps, frame.columns(len(steps)), strict=True):
        found = _by_subject(step)
        below = 0.0
        for name, color in colors.items():
            share = found.get(name, {}).get("share") or 0.0
            shown = lighter(color) if share and found[name]["stale"] else color
            top = frame.y(min(1.0, below + share))
            canvas.box((left + gap, top, right - gap, frame.y(below)), shown)
            if share:
                canvas.line([(left + gap, top), (right - gap, top)], PAPER, 0.7)
            below += share
    return evaluations(canvas, frame, len(steps))


def relative_push(canvas: Canvas, frame: Frame, steps: Steps) -> None:
    """Columns; those above the limit in the colour of warnings."""
    found = [s.get("relative_push") for s in steps]
    if not any(found):
        return message(canvas, frame, _why_nothing(steps))
    ticks = round_levels(max(max(v for v in found if v), OVERSHOOTING), 2)
    levels(canvas, frame, ticks, lambda v: v / ticks[-1])
    gap = 0.5 if len(steps) <= DENSE else 0.0
    for value, (left, right) in zip(found, frame.columns(len(steps)), strict=True):
        color = WARNING if (value or 0) > OVERSHOOTING else RUN
        height = frame.y((value or 0) / ticks[-1])
        canvas.box((left + gap, height, right - gap, frame.bottom), color)
    limit = frame.y(OVERSHOOTING / ticks[-1])
    return canvas.line([(frame.left, limit), (frame.right, limit)], WARNING, 0.7)


def told(canvas: Canvas, frame: Frame, steps: Steps, colors: Mapping[str, Color]) -> None:
    """Nats added up, a line for each subject; hollow dots, or a lighter line, where stale."""
    lines = {name: _running(steps, name) for name in colors}
    high = max((line[-1] for line in lines.values()), default=0.0)
    if not high:
        return message(canvas, frame, _why_nothing(steps, "too short to tell"))
    ticks = round_levels(high)
    levels(canvas, frame, ticks, lambda v: v / ticks[-1])
    middles = [(a + b) / 2 for a, b in frame.columns(len(steps))]
    for name, line in lines.items():
        color = colors[name]
        found = [_by_subject(s).get(name) for s in steps]
        points = [(x, frame.y(v / ticks[-1])) for x, v in zip(middles, line, strict=True)]
        for ends, term in zip(pairwise(points), found[1:], strict=True):
            stale = term is not None and term["stale"]
            canvas.line(ends, lighter(color, 0.45) if stale else color, 2)
        for at, term in zip(points, found, strict=True):
            if term is not None and len(steps) <= DENSE:
                canvas.dot(at, 2.4, PAPER if term["stale"] else color, color)
    return evaluations(canvas, frame, len(steps))


def rows_run(canvas: Canvas, frame: Frame, steps: Steps, rows: Sequence[tuple[str, str]]) -> None:
    """A line for each row, (name, label): filled where it was run, hollow where it was kept."""
    height = frame.height / max(1, len(rows))
    tall = min(height - 2, 13.0)
    for k, (name, label) in enumerate(rows):
        y = frame.top + (k + 0.5) * height
        canvas.text((frame.left - 6, y), label, INK, SMALL if height >= 13 else 9, "rm")
        for step, (left, right) in zip(steps, frame.columns(len(steps)), strict=True):
            inset = min(1.0, (right - left) * 0.12)
            cell = (left + inset, y - tall / 2, right - inset, y + tall / 2)
            if name in step["fresh"]:
                canvas.box(cell, RUN)
            elif name in step["kept"]:
                canvas.box(cell, PAPER, RUN)
    evaluations(canvas, frame, len(steps))


def cosines(
    canvas: Canvas,
    frame: Frame,
    matrix: Sequence[Sequence[Number | None]],
    colors: Mapping[str, Color],
) -> None:
    """A numbered line and column for each subject; blue where two agree, brown where they work
    against each other."""
    names, count = list(colors), len(colors)
    if count < 2:
        return message(canvas, frame, "two inputs that push would be compared here")
    side = min(44.0, frame.width / count, frame.height / count)
    for i, name in enumerate(names):
        y = frame.top + (i + 0.5) * side
        x = frame.left + (i + 0.5) * side
        canvas.box((frame.left - 132, y - 5, frame.left - 122, y + 5), colors[name])
        said = fitted(f"{i + 1} {name}", 108, SMALL)
        canvas.text((frame.left - 116, y), said, INK, SMALL)
        canvas.text((x, frame.top - 5), str(i + 1), FAINT, SMALL, "ms")
        for j, value in enumerate(matrix[i]):
            left, top = frame.left + j * side, frame.top + i * side
            cell = (left + 0.7, top + 0.7, left + side - 0.7, top + side - 0.7)
            if i == j or value is None:
                canvas.box(cell, GRID)
                continue
            color = diverging(value)
            canvas.box(cell, color, GRID if abs(value) < 0.05 else None, 0.7)
            if side >= 19:
                size = SMALL if side >= 28 else 9
                canvas.text(
                    (left + side / 2, top + side / 2), _short(value), readable_on(color), size, "mm"
                )
    return None


def row_labels(steps: Steps, width: Number, size: int = SMALL) -> list[tuple[str, str]]:
    """(name, label) of every row that was run or kept, the fullest first. A row that sees nearly
    everything is named by what it lacks."""
    names = list(dict.fromkeys(n for s in steps for n in (*s["fresh"], *s["kept"])))
    seen = {n: frozenset() if n == "null" else frozenset(n.split("+")) for n in names}
    plain = frozenset(i for inputs in seen.values() for i in inputs if "*" not in i)
    names.sort(key=lambda n: -len(seen[n]))
    return [(n, fitted(_label(n, seen[n], plain), width, size)) for n in names]


def _label(name: str, inputs: Collection[str], everything: Collection[str]) -> str:
    missing = [i for i in sorted(everything) if i not in inputs]
    if not inputs:
        return "none"
    if not missing and all("*" not in i for i in inputs):
        return "all" if len(inputs) > 1 else name
    if len(missing) < len(inputs) and all("*" not in i for i in inputs):
        return f"all but {', '.join(missing)}"
    return name if any("*" in i for i in inputs) else f"only {', '.join(sorted(inputs))}"


def _by_subject(step: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {t["subject"]: t for t in step.get("terms", ())}


def _running(steps: Steps, name: str) -> list[Number]:
    found = (_by_subject(s).get(name, {}) for s in steps)
    return list(accumulate(t.get("information") or 0.0 for t in found))


def _why_nothing(steps: Steps, otherwise: str = "no push in this run") -> str:
    if not any("terms" in s for s in steps):
        return "not measured in this run"
    return otherwise if any(s.get("terms") for s in steps) else "one row: nothing is pushed"


def _short(value: Number) -> str:
    """-0.42 as -.42."""
    if abs(value) < 0.005:
        return "0"
    return f"{value:.2f}".replace("0.", ".", 1) if abs(value) < 0.995 else f"{value:.0f}"
