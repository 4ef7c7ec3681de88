"""A report as one picture, for people who have a few seconds."""

from collections.abc import Mapping
from typing import Any

from PIL import Image

from ..report import Report
from . import panels
from .axes import SMALL, Frame, heading
from .canvas import Canvas, fitted, width_of, wrapped
from .palette import FAINT, INK, WARNING, Color, Number, colors
from .stages import coefficients, weight_of, windows

WIDTH, MARGIN = 960, 28
LINE = 18
LABEL = 148  # room for the names of rows
MIDDLE = 500  # where the left half ends


def draw_report(report: Report) -> Image.Image:
    """WIDTH pixels wide and about 700 high; higher for many rows or inputs.

    Of a run: shares of the push, relative push and rows, evaluation by evaluation; information, and
    how far inputs agree. Before a run: which inputs act when, and how the rows add up.
    """
    return _finished(report) if report.steps else _planned(report)


def _finished(report: Report) -> Image.Image:
    tint = colors(report.shares)
    legend = -(-len(tint) // _legend_columns(tint)) * LINE
    top = 76 + legend + 28
    shares = Frame(MARGIN + LABEL, top, MIDDLE, top + 170)
    relative = Frame(shares.left, shares.bottom + 66, MIDDLE, shares.bottom + 126)
    labels = panels.row_labels(report.steps, LABEL - 10)
    cells_top = relative.bottom + 44
    cell = max(11, min(18, 180 // max(1, len(labels))))
    cells = Frame(shares.left, cells_top, MIDDLE, cells_top + cell * len(labels))
    right = MIDDLE + 62
    nats = Frame(right, top, WIDTH - MARGIN, relative.top - 48)
    square = Frame(right + 92, nats.bottom + 88, WIDTH - MARGIN, nats.bottom + 88 + 300)
    side = min(44, square.width / max(1, len(tint)))
    matrix_end = square.top + (side * len(tint) if len(tint) > 1 else 120) + 34
    said = [line for w in report.warnings for line in wrapped(w, WIDTH - 2 * MARGIN - 20)]
    below = max(cells.bottom + 40, matrix_end)
    canvas = Canvas(WIDTH, round(max(below + len(said) * LINE + (16 if said else 0), 560)) + 12)

    _title(canvas, report)
    _legend(canvas, tint, report)
    heading(canvas, (MARGIN, shares.top - 12), "Share of the push", "%, lighter: from kept rows")
    panels.push_shares(canvas, shares, report.steps, tint)
    heading(canvas, (MARGIN, relative.top - 12), "Size of the push",
            "of the way to the picture; above 0.5 is strong")  # fmt: skip
    panels.relative_push(canvas, relative, report.steps)
    heading(canvas, (MARGIN, cells.top - 12), "Rows", "filled: run, hollow: kept")
    panels.rows_run(canvas, cells, report.steps, labels)
    heading(canvas, (right - 30, nats.top - 12), "Information", "nats told so far")
    panels.told(canvas, nats, report.steps, tint)
    heading(canvas, (right - 30, square.top - 32), "Agreement",
            "mean cosine; 1 says the same, below 0 against")  # fmt: skip
    if len(tint) < 2:
        square = Frame(right, square.top - 16, square.right, square.top + 84)
    panels.cosines(canvas, square, report.cosines, tint)
    _warnings(canvas, report, below + 10)
    return canvas.finish()


def _planned(report: Report) -> Image.Image:
    tint = colors(m["name"] for m in report.modalities)
    rows = list(dict.fromkeys(row for stage in report.stages for row in stage["rows"]))
    label = 200
    first = Frame(MARGIN + label, 112, WIDTH - MARGIN, 112 + 24 * len(tint))
    cell = max(12, min(22, 300 // max(1, len(rows))))
    labels = panels.row_labels([{"fresh": rows, "kept": []}], label - 16)
    top = first.bottom + 84
    second = Frame(first.left, top, first.right, top + cell * len(rows))
    canvas = Canvas(WIDTH, round(max(second.bottom + 56, 420)))
    _title(canvas, report)
    heading(canvas, (MARGIN, first.top - 12), "Inputs", "when they act, and their weight")
    for k, name in enumerate(tint):
        y = first.top + 24 * (k + 0.5)
        canvas.text((first.left - 8, y), fitted(name, label - 16), INK, 12, "rm")
    windows(canvas, first, report.modalities, tint)
    heading(canvas, (MARGIN, second.top - 12), "Rows", "and what each is multiplied by")
    for k, (_, said) in enumerate(labels):
        y = second.top + cell * (k + 0.5)
        canvas.text((second.left - 8, y), said, INK, SMALL if cell >= 13 else 9, "rm")
    coefficients(canvas, second, report.stages, [row for row, _ in labels])
    return canvas.finish()


def _title(canvas: Canvas, report: Report) -> None:
    canvas.text((MARGIN, 28), "Guidance report", INK, 20)
    canvas.text((MARGIN + width_of("Guidance report", 20) + 12, 29), report.composition, FAINT, 15)
    said = "before a run"
    if report.evaluations:
        rows = report.rows or 0
        each = f", {rows / report.evaluations:.2f} each" if report.evaluations > 1 else ""
        plural = "s" if report.evaluations > 1 else ""
        said = f"{rows} rows run in {report.evaluations} evaluation{plural}{each}"
        if report.kept:
            said += f"; {report.kept} kept, at an estimated error of {report.error_spent:.1%}"
    canvas.text((WIDTH - MARGIN, 29), said, FAINT, 12, "rm")
    weights = ", ".join(_weight(m) for m in report.modalities)
    canvas.text((MARGIN, 54), fitted(f"weights of {weights}", WIDTH - 2 * MARGIN), FAINT, 12)


def _weight(m: Mapping[str, Any]) -> str:
    window = "" if (m["start"], m["end"]) == (0, 1) else f" ({m['start']:g} to {m['end']:g})"
    return f"{m['name']}: {weight_of(m)}{window}"


def _legend_columns(tint: Mapping[str, Color]) -> int:
    return 4 if len(tint) > 6 else 3


def _legend(canvas: Canvas, tint: Mapping[str, Color], report: Report) -> None:
    columns = _legend_columns(tint)
    wide = (WIDTH - 2 * MARGIN) / columns
    for k, (name, color) in enumerate(tint.items()):
        x, y = MARGIN + (k % columns) * wide, 80 + (k // columns) * LINE
        figures = f"{report.shares[name]:.0%}"
        if name in report.information:
            figures += f", {report.information[name]:.3g} nats"
        canvas.box((x, y - 5, x + 10, y + 5), color)
        said = fitted(name, wide - 40 - width_of(figures))
        canvas.text((x + 16, y), said, INK, 12)
        canvas.text((x + 24 + width_of(said), y), figures, FAINT, 12)


def _warnings(canvas: Canvas, report: Report, top: Number) -> None:
    y = top
    for warning in report.warnings:
        canvas.text((MARGIN, y), "!", WARNING, 16)
        for line in wrapped(warning, WIDTH - 2 * MARGIN - 20):
            canvas.text((MARGIN + 14, y), line, WARNING, 12)
            y += LINE
