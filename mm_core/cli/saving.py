"""Where mmc generate writes, checked before any work, and how."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, PngImagePlugin

from ..errors import InputError
from ..guidance.chart.report import draw_report
from ..guidance.report import Report
from ..weights.save import save_bytes, save_json
from . import options

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


def pictures(path: Path, count: int) -> list[Path]:
    """The names of so many pictures: a.png alone, or a-1.png, a-2.png and so on.

    Raises InputError for an ending of no format and for a place that cannot be written to.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"--out {path}: the name must end in {', '.join(FORMATS)}")
    options.writable(path)
    if count == 1:
        return [path]
    return [path.with_stem(f"{path.stem}-{i + 1}") for i in range(count)]


def save_picture(image: Image.Image, path: Path, about: dict[str, Any]) -> None:
    """Writes by the name's ending, whole or not at all; a PNG carries its settings."""
    kind = FORMATS[path.suffix.lower()]
    extra: dict[str, Any] = {"quality": 95} if kind != "PNG" else {}
    if kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("mmc", json.dumps(about))
        extra["pnginfo"] = info
    save_bytes(lambda file: image.save(file, kind, **extra), path)


def check_report(path: Path, pictures: Sequence[Path]) -> None:
    """InputError unless a report can be written there."""
    if path.suffix.lower() not in REPORTS:
        raise InputError(f"--report {path}: the name must end in {', '.join(REPORTS)}")
    if path.resolve() in [p.resolve() for p in pictures]:
        raise InputError(f"--report {path} is the picture's own name; give it another one")
    options.writable(path, "--report")


def save_report(report: Report, path: Path) -> None:
    """As a chart or as figures, by the name's ending."""
    REPORTS[path.suffix.lower()](report, path)


def _save_chart(report: Report, path: Path) -> None:
    chart = draw_report(report)
    save_bytes(lambda file: chart.save(file, "PNG"), path)


REPORTS: dict[str, Callable[[Report, Path], None]] = {
    ".json": lambda report, path: save_json(report.as_dict(), path),
    ".png": _save_chart,
}
