"""Points, boxes and names that a user types."""

import torch

from ....mm_core.errors import InputError

POINTS = "x, y in pixels, and 0 for what is not part of it, such as 120, 80; 300, 40, 0"
BOXES = "left, top, right, bottom in pixels, such as 10, 20, 200, 380; 220, 30, 400, 370"


def points_of(text: str) -> torch.Tensor | None:
    """(n, 3): x, y and 1 or 0; None for empty text."""
    rows = [[*row, 1.0][:3] for row in _rows(text, "points", (2, 3), POINTS)]
    return torch.tensor(rows) if rows else None


def boxes_of(text: str) -> torch.Tensor | None:
    """(n, 4); None for empty text."""
    rows = _rows(text, "boxes", (4,), BOXES)
    return torch.tensor(rows) if rows else None


def names_of(text: str) -> list[str]:
    """Names in lines or between semicolons; where there are none, between commas, too."""
    lines = text.replace("\n", ";")
    parts = lines.split(";") if ";" in lines.strip("; ") else lines.replace(",", ";").split(";")
    return [name.strip() for name in parts if name.strip()]


def _rows(text: str, what: str, sizes: tuple[int, ...], how: str) -> list[list[float]]:
    parts = [part.strip(" ,") for part in text.replace("\n", ";").split(";")]
    rows = []
    for part in parts:
        if not part:
            continue
        try:
            row = [float(number) for number in part.replace(",", " ").split()]
        except ValueError:
            row = []
        if len(row) not in sizes:
            raise InputError(f"found {part!r} among the {what}; needed {how}")
        rows.append(row)
    return rows
