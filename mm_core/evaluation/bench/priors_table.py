"""The figures of `mmc bench prior` as a table for a document."""

from collections.abc import Mapping
from typing import Any

from ..markdown import END, around

BEGIN = "<!-- bench: prior -->"
HEADS = (
    "way", "cosine to the true embedding", "less straight through's", "less linear map's",
    "length", "Frechet",
    "family shown", "palette error", "ms each",
)  # fmt: skip


def insert(document: str, result: Mapping[str, Any], source: str = "the document") -> str:
    """The document with the table between its marks. InputError where they are missing."""
    before, after = around(document, BEGIN, source)
    return f"{before}{BEGIN}\n\n`{result['command']}`\n\n{table(result)}\n{END}{after}"


def check(document: str, source: str) -> None:
    """InputError where the marks are missing."""
    around(document, BEGIN, source)


def table(found: Mapping[str, Any]) -> str:
    """How it was measured, a line for each way, and what each is."""
    lines = [
        f"{found['captions']} held-out captions that name family and colours; ± is half of the "
        "95 % interval over groups of 4 that share a style. Length: mean, over that of true "
        "embeddings. Frechet: distance of the first 16 components to true ones. Family and "
        f"palette: what the oracle reads in {found['painted']} pictures painted from the "
        "embedding alone. Time: for each of 8 in one call, the least of three calls on one "
        "thread.",
        "",
        _row(HEADS),
        _row(["---"] * len(HEADS)),
    ]
    for way in found["ways"]:
        lines.append(
            _row(
                [
                    way["name"],
                    _cell(way["cosine"]),
                    _cell(way.get("less_straight"), "+"),
                    _cell(way.get("less_linear"), "+"),
                    f"{way['length']:.2f}",
                    f"{way['frechet']:.1f}",
                    _cell(way["family"]),
                    _cell(way["palette_mae"]),
                    f"{way['milliseconds']:.0f}" if "milliseconds" in way else "",
                ]
            )
        )
    lines += ["", *(f"- *{way['name']}*: {way['meaning']}" for way in found["ways"])]
    gains = [f"{name} {_cell(gain, '+')}" for name, gain in found["attempts"].items()]
    lines += ["", f"Best of two attempts less one, in cosine, pair by pair: {'; '.join(gains)}."]
    return "\n".join(lines) + "\n"


def _cell(m: Mapping[str, Any] | None, sign: str = "") -> str:
    if m is None:
        return ""
    spread = f" ±{m['interval']:.3f}" if m["interval"] is not None else ""
    return f"{m['value']:{sign}.3f}{spread}"


def _row(cells: tuple[str, ...] | list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
