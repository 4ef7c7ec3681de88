"""The figures of `mmc evaluate` as tables for a document, between two marks in it."""

from collections.abc import Sequence
from typing import Any

from ..errors import InputError
from .measures import MEASURES

END = "<!-- end of figures -->"
SHORT = {
    "text_color": "colour",
    "text_shape": "shape",
    "text_relation": "relation",
    "shirt": "shirt",
    "style_family": "family",
    "style_palette_mae": "palette error",
    "depth_r": "depth r",
    "depth_iou": "depth IoU",
    "pose_pck05": "PCK@.05",
    "segmentation_miou": "mIoU",
    "audio": "audio",
}


def begin(sections: Sequence[str]) -> str:
    """The line that opens the part which holds the figures of these sections."""
    return f"<!-- figures: {','.join(sections)} -->"


def insert(document: str, result: dict[str, Any], command: str) -> str:
    """The document with the part between the marks replaced by this result's tables."""
    mark = begin(list(dict.fromkeys(run["section"] for run in result["runs"])))
    before, after = around(document, mark, "the document")
    return f"{before}{mark}\n\n{tables(result, command)}\n{END}{after}"


def around(document: str, mark: str, source: str) -> tuple[str, str]:
    """What stands before and after the marks; InputError, naming source, where they are not."""
    before, found, rest = document.partition(mark)
    _, end, after = rest.partition(END)
    if not found or not end:
        raise InputError(
            f"{source} lacks the lines {mark!r} and {END!r}; put them where the tables shall be"
        )
    return before, after


def tables(result: dict[str, Any], command: str) -> str:
    """A table for each section, with the ceiling and chance that it is to be read against."""
    lines = [
        f"`{command}`",
        "",
        f"{result['scenes']} held-out scenes in {len(result['seeds'])} sets, {result['steps']} "
        f"steps of {result['sampler']}; half of the 95 % interval after each value. Oracle "
        f"`{result['oracle_sha256'][:12]}`. Lower is better for the palette error only.",
    ]
    for section in dict.fromkeys(run["section"] for run in result["runs"]):
        lines += ["", f"### {section}", "", _row(["", *SHORT.values(), "rows", "Frechet"])]
        lines.append(_row(["---"] * (len(MEASURES) + 3)))
        for label in ("ceiling", "chance"):
            lines.append(_row([f"*{label}*", *(_cell(result[label][m]) for m in MEASURES), "", ""]))
        for run in (r for r in result["runs"] if r["section"] == section):
            cells = [_cell(run["measures"][m]) for m in MEASURES]
            lines.append(
                _row(
                    [run["name"], *cells, f"{run['rows_per_evaluation']:g}", f"{run['frechet']:g}"]
                )
            )
    return "\n".join(lines) + "\n"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(m: dict[str, Any]) -> str:
    if m["value"] is None:
        return "-"
    spread = f" ±{m['interval']:.3f}".replace("±0.", "±.") if m["interval"] is not None else ""
    return f"{m['value']:.3f}{spread}"
