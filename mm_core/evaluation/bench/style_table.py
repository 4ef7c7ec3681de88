"""The figures of `mmc bench style` as a table for a document."""

from collections.abc import Mapping
from typing import Any

HEADS = (
    "way", "weight", "text", "style", "palette error", "rows", "Frechet",
    "style less one CFG's, same number", "any number",
)  # fmt: skip


def style(found: Mapping[str, Any]) -> str:
    """How it was measured, then a line for each point."""
    lines = [
        f"{found['scenes']} held-out scenes in {found['groups']} groups that share a style, "
        f"{found['steps']} steps of euler, words and style picture of different scenes. Text: mean "
        "of colour, shape and relation, in points; style: texture family, in points. 95 % "
        "intervals, by the bootstrap over groups; a lead is over the best that one CFG reaches at "
        f"no less text adherence. Oracle `{found['oracle_sha256'][:12]}`.",
        "",
        _row(HEADS),
        _row(["---"] * len(HEADS)),
    ]
    for p in found["points"]:
        low, high = p["palette_interval"]
        lines.append(
            _row(
                [
                    p["curve"],
                    f"{p['weight']:g}",
                    _points(p["text"], p["text_interval"]),
                    _points(p["style"], p["style_interval"]),
                    f"{p['style_palette_mae']:.3f} ({low:.3f} to {high:.3f})",
                    f"{p['rows']:g}",
                    f"{p['frechet']:.0f}",
                    _lead(p.get("lead_same")),
                    _lead(p.get("lead_best")),
                ]
            )
        )
    return "\n".join(lines) + "\n"


def _points(value: float, ends: tuple[float, float]) -> str:
    return f"{value:.1f} ({ends[0]:.1f} to {ends[1]:.1f})"


def _lead(found: tuple[float, tuple[float, float]] | None) -> str:
    if found is None:
        return ""
    value, (low, high) = found
    return f"{value:+.1f} ({low:+.1f} to {high:+.1f})"


def _row(cells: tuple[str, ...] | list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
