"""The figures of `mmc bench` as tables for a document, one part at a time."""

from collections.abc import Callable, Mapping
from typing import Any

from ..markdown import END, around
from .methods import MEANING
from .style_table import style


def begin(part: str) -> str:
    """The line that opens the figures of a part."""
    return f"<!-- bench: {part} -->"


def insert(document: str, result: Mapping[str, Any], source: str = "the document") -> str:
    """The document with the figures of each part of the result between that part's marks."""
    for part, found in result["parts"].items():
        before, after = around(document, begin(part), source)
        said = f"`{result['command']}`\n\n{TABLES[part](found)}"
        document = f"{before}{begin(part)}\n\n{said}\n{END}{after}"
    return document


def check(document: str, parts: list[str], source: str) -> None:
    """InputError where the marks of a part are missing."""
    for part in parts:
        around(document, begin(part), source)


def oracle(found: Mapping[str, Any]) -> str:
    """Rows, error and energy distance by number of inputs."""
    counts = list(dict.fromkeys(line["inputs"] for line in found["methods"]))
    by = {(line["method"], line["inputs"]): line for line in found["methods"]}
    heads = [f"{what}, N = {n}" for what in ("rows", "error", "distance") for n in counts]
    lines = [_row(["method", *heads]), _row(["---"] * (len(heads) + 1))]
    for method in dict.fromkeys(line["method"] for line in found["methods"]):
        mine = [by[method, n] for n in counts]
        rows = [f"{m['rows']:.2f}" for m in mine]
        errors = [_share(m["error"]) for m in mine]
        distances = [f"{m['distance']:.3f}" for m in mine]
        lines.append(_row([method, *rows, *errors, *distances]))
    return "\n".join(lines) + "\n"


def embedded(found: Mapping[str, Any]) -> str:
    """Cost, distance and adherence, then how long differences last, then time."""
    lines = [
        f"{found['scenes']} held-out scenes, {found['steps']} steps of euler, inputs "
        f"{', '.join(found['inputs'])} at their default weights. Adherence: the mean of the "
        f"measures in `docs/embedded-model.md`, in points; after each difference half of its 95 % "
        f"interval (bootstrap over {found['groups']} groups of scenes).",
        "",
        _row(["method", "rows", "calls", "PSNR to exact", "worst tenth", "PSNR to its own exact",
              "of guidance", "adherence", "less exact's"]),
        _row(["---"] * 9),
    ]  # fmt: skip
    for m in found["methods"]:
        apart, half = m["difference"]
        lines.append(
            _row(
                [
                    m["method"],
                    f"{m['rows']:.2f}",
                    f"{m['calls']:.2f}",
                    *(_decibels(m[k]) for k in ("psnr", "psnr_worst_tenth", "psnr_own")),
                    f"{m['effect']:.0%}",
                    f"{m['adherence']:.2f}",
                    "" if m["method"] == "exact" else f"{apart:+.2f} ±{half:.2f}",
                ]
            )
        )
    lines += ["", *_persistence(found["spaces"])]
    lines += ["", *_times(found["times"], found["repeats"])]
    return "\n".join(lines) + "\n"


def comfyui(found: Mapping[str, Any]) -> str:
    """Whatever the script measured of one input, name by name; then three inputs, way by way."""
    lines = [_row(["measure", "value"]), _row(["---"] * 2)]
    lines += [_row([n, _plain(value)]) for n, value in found.items() if n != "three inputs"]
    three = found["three inputs"]
    names = list(three["methods"][0])
    lines += [
        "",
        f"Text and two ControlNets, {three['steps']} steps of euler; calls and rows for each step:",
        "",
        _row(names),
        _row(["---"] * len(names)),
    ]
    lines += [_row([_plain(line[n]) for n in names]) for line in three["methods"]]
    return "\n".join(lines) + "\n"


def image_prompts(found: Mapping[str, Any]) -> str:
    """Whatever the script measured: a sentence and a table, one after another."""
    peer = found["peer"]
    beside = f"Ours beside {peer}" if peer else "Ours alone: no other pack was given by --peer"
    said = [f"{beside}; {found['million parameters']} million parameters with random weights."]
    for table in found["tables"]:
        names = list(dict.fromkeys(name for line in table["lines"] for name in line))
        rows = [[_plain(line.get(name, "")) for name in names] for line in table["lines"]]
        said += ["", table["about"], "", *map(_row, [names, ["---"] * len(names), *rows])]
    return "\n".join(said) + "\n"


def meanings() -> str:
    """What each method is, for people."""
    return "\n".join(f"- *{name}*: {said}" for name, said in MEANING.items()) + "\n"


TABLES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "oracle": oracle,
    "embedded": embedded,
    "comfyui": comfyui,
    "image_prompts": image_prompts,
    "style": style,
}


def _persistence(spaces: list[Mapping[str, Any]]) -> list[str]:
    names = list(spaces[0]["changes"][1])
    lines = [
        "Change of what a row differs by, as a share of it, over one / two / three steps; and the "
        "PSNR to exact of rows run at every second and third step:",
        "",
        _row(["space", *names, "every second", "every third"]),
        _row(["---"] * (len(names) + 3)),
    ]
    for s in spaces:
        cells = [" / ".join(f"{s['changes'][gap][n]:.2f}" for gap in s["changes"]) for n in names]
        paced = [_decibels(value) for value in s["paced"].values()]
        lines.append(_row([s["space"], *cells, *paced]))
    return lines


def _times(times: Mapping[str, tuple[float, float, float]], repeats: int) -> list[str]:
    lines = [
        f"Time over that of joint guidance in the same round, median of {repeats} rounds (lowest "
        "to highest):",
        "",
        _row(["method", "time"]),
        _row(["---"] * 2),
    ]
    for name, (middle, low, high) in times.items():
        lines.append(_row([name, f"{middle:.2f} ({low:.2f} to {high:.2f})"]))
    return lines


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _share(value: float) -> str:
    return "0" if value == 0 else f"{value:.2%}"


def _decibels(value: float | None) -> str:
    return "same" if value is None else f"{value:.1f} dB"


def _plain(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
