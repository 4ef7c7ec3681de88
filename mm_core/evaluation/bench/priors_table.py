"""The figures of `mmc bench prior` as tables for a document, each part between its own marks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..markdown import END, SHORT, around

BEGIN = {
    "ways": "<!-- bench: prior -->",
    "words": "<!-- bench: prior words -->",
    "variations": "<!-- bench: prior variations -->",
    "mixes": "<!-- bench: prior mixes -->",
}
HEADS = (
    "way", "cosine to the true embedding", "less straight through's", "less linear map's",
    "length", "Frechet", "family shown", "palette error", "ms each",
)  # fmt: skip


def insert(document: str, result: Mapping[str, Any], source: str = "the document") -> str:
    """The document with each part's tables between its marks. InputError where marks are
    missing."""
    for part, found in result["parts"].items():
        before, after = around(document, BEGIN[part], source)
        said = f"`{result['command']}`\n\n{TABLES[part](found)}"
        document = f"{before}{BEGIN[part]}\n\n{said}\n{END}{after}"
    return document


def check(document: str, parts: Sequence[str], source: str) -> None:
    """InputError where the marks of a part are missing."""
    for part in parts:
        around(document, BEGIN[part], source)


def ways(found: Mapping[str, Any]) -> str:
    """How it was measured, a line for each way, and what each is."""
    threads = "one thread" if found["threads"] == 1 else f"{found['threads']} threads"
    lines = [
        f"{found['captions']} held-out captions that name family and colours; ± is half of the "
        "95 % interval over groups of 4 that share a style. Length: mean, over that of true "
        "embeddings. Frechet: distance of the first 16 components to true ones. Family and "
        f"palette: what the oracle reads in {found['painted']} pictures painted from the "
        f"embedding alone. Time: for each of 8 in one call, the least of three calls on {threads}.",
        "",
        *_head(HEADS),
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


def words(found: Mapping[str, Any]) -> str:
    """What each way shows, and how much more than text alone."""
    weights = " and ".join(f"{name} {weight:g}" for name, weight in found["weights"].items())
    lines = [
        f"{found['scenes']} held-out sentences, {found['steps']} steps, weights {weights}; what "
        "the oracle reads, ± half of the 95 % interval over groups of 4 scenes that share a "
        "style. Lower is better for the palette error only.",
        "",
        *_measured(found["ways"]),
        "",
        "More than the way by text alone, on the same scenes:",
        "",
        *_head(["way", "than", *_names(found["ways"])]),
    ]
    for way in found["ways"]:
        for other, more in way["more"].items():
            lines.append(_row([way["name"], other, *(_cell(m, "+") for m in more.values())]))
    return "\n".join(lines) + "\n"


def variations(found: Mapping[str, Any]) -> str:
    """What stays and what changes at each denoise."""
    lines = [
        f"Two variations of each of {found['pictures']} held-out pictures, {found['steps']} "
        "steps; what the oracle reads against the picture's truth, ± half of the 95 % interval "
        "over groups of 4 that share a style. PSNR in dB.",
        "",
        *_head(["", *_names(found["lines"]), "silhouette IoU", "PSNR to it", "between two"]),
    ]
    for line in found["lines"]:
        ends = [_cell(line["silhouette"]), _decibels(line["psnr"])]
        ends.append(_decibels(line["psnr_between"]) if "psnr_between" in line else "")
        lines.append(_row([line["name"], *(_cell(m) for m in line["measures"].values()), *ends]))
    lines += [
        "",
        "More than in the decoded picture, pair by pair:",
        "",
        *_head(["", *_names(found["lines"])]),
    ]
    for line in (line for line in found["lines"] if "more" in line):
        lines.append(_row([line["name"], *(_cell(m, "+") for m in line["more"].values())]))
    return "\n".join(lines) + "\n"


def mixes(found: Mapping[str, Any]) -> str:
    """How evenly pictures change, and how often words lead to what they say."""
    lines = [
        f"{found['pairs']} pairs of held-out pictures, 7 places from one to the other, ± half of "
        "the 95 % interval. Largest step: between neighbours in pixels, over the sum of all six; "
        "1/6 if all were equal. Forward: neighbours of which the later one's own embedding lies "
        "farther along.",
        "",
        *_head(["way", "largest step", "forward"]),
        *(
            _row([way["name"], _cell(way["largest"]), _cell(way["forward"])])
            for way in found["ways"]
        ),
        "",
        "By words to another family of texture in the same colours:",
        "",
        *_head(["way", "amount", "family asked for, before", "after", "palette error, before",
                "after"]),
    ]  # fmt: skip
    for way in found["words"]:
        names = ("before", "after", "palette_before", "palette_after")
        lines.append(
            _row([way["name"], f"{way['farthest']:g}", *(_cell(way[name]) for name in names)])
        )
    return "\n".join(lines) + "\n"


TABLES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "ways": ways,
    "words": words,
    "variations": variations,
    "mixes": mixes,
}


def _measured(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        *_head(["way", *_names(lines)]),
        *(_row([w["name"], *(_cell(m) for m in w["measures"].values())]) for w in lines),
    ]


def _names(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    return [SHORT[name] for name in lines[0]["measures"]]


def _cell(m: Mapping[str, Any] | None, sign: str = "") -> str:
    if m is None:
        return ""
    spread = f" ±{m['interval']:.3f}" if m["interval"] is not None else ""
    return f"{m['value']:{sign}.3f}{spread}"


def _decibels(m: Mapping[str, Any]) -> str:
    spread = f" ±{m['interval']:.1f}" if m["interval"] is not None else ""
    return f"{m['value']:.1f}{spread}"


def _head(cells: Sequence[str]) -> list[str]:
    return [_row(cells), _row(["---"] * len(cells))]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
