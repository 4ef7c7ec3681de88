"""mmc bench: ways to guide by many inputs, side by side."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from ..embedded.weights import SHIPPED, load_embedded
from ..evaluation.bench import comfyui, embedded, exact_world, tables
from ..evaluation.weights import fingerprint, load_oracle
from ..guidance.planner import SPACES
from ..weights.save import save_json, write_text
from . import options
from .progress import Progress

PARTS = ("oracle", "embedded", "comfyui", "image_prompts")
REPEATS = 5


def add(commands: Any) -> None:
    """Adds the sub-command."""
    p = commands.add_parser("bench", help="what guidance by many inputs costs, against others")
    p.add_argument("what", choices=["guidance"])
    p.add_argument("--parts", default="oracle,embedded", metavar="A,B", help=", ".join(PARTS))
    p.add_argument("--n", type=int, default=96, help="held-out scenes, in groups of 8")
    p.add_argument("--steps", type=int, default=25)
    p.add_argument("--model", type=Path, default=SHIPPED, help="weights of an embedded model")
    p.add_argument(
        "--peer",
        type=Path,
        metavar="DIR",
        help="image_prompts: a checkout of ComfyUI_IPAdapter_plus to measure beside ours",
    )
    p.add_argument("--json", metavar="FILE", help="where the figures go; - is standard output")
    p.add_argument("--markdown", type=Path, metavar="FILE",
                   help="a document; its parts between the marks are replaced")  # fmt: skip
    p.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Measures part by part, then writes all that was asked for."""
    torch.set_flush_denormal(True)
    parts = [s.strip() for s in given.parts.split(",") if s.strip()]
    if not parts or (unknown := [p for p in parts if p not in PARTS]):
        refused = ",".join(unknown) if parts else repr(given.parts)
        options.refuse("--parts", refused, f"among {', '.join(PARTS)}")
    if not 8 <= given.n <= 10_000 or given.n % embedded.GROUP:
        options.refuse("--n", given.n, f"between 8 and 10000 that {embedded.GROUP} divides")
    if not 4 <= given.steps <= 1000:
        options.refuse("--steps", given.steps, "between 4 and 1000")
    if given.peer is not None and not (given.peer / "__init__.py").is_file():
        options.refuse("--peer", given.peer, "that is a folder of a pack, with an __init__.py")
    document = options.document(given.markdown)
    for option, path in (
        ("--markdown", given.markdown),
        ("--json", Path(given.json) if given.json not in (None, "-") else None),
    ):
        if path is not None:
            options.writable(path, option)
    if given.markdown:
        tables.check(document, parts, f"--markdown {given.markdown}")
    found: dict[str, Any] = {}
    for part in parts:
        figures = MEASURE[part](given)
        if figures is not None:
            found[part] = figures
    result = {"command": _command(given, parts), "parts": found}
    if given.json == "-":
        sys.stdout.write(json.dumps(result, indent=1, allow_nan=False) + "\n")
    elif given.json:
        save_json(result, Path(given.json))
    if given.markdown:
        write_text(tables.insert(document, result), given.markdown)
    if not given.json and not given.markdown:
        sys.stderr.write("".join(f"{tables.TABLES[p](f)}\n" for p, f in found.items()))


def _oracle(given: argparse.Namespace) -> dict[str, Any]:
    counts, observed = tuple(exact_world.WORLDS), exact_world.OBSERVED
    total = len(counts) * len(observed) * len(exact_world.COMPARED)
    with Progress("the exact world", total) as bar:
        return {"steps": exact_world.STEPS, "methods": exact_world.compare(bar.step)}


def _embedded(given: argparse.Namespace) -> dict[str, Any]:
    model, _ = load_embedded(given.model)
    judge, _ = load_oracle()
    groups = given.n // embedded.GROUP
    with Progress("the embedded model", groups * len(embedded.COMPARED)) as bar:
        methods = embedded.compare(model, judge, given.n, given.steps, bar.step)
    with Progress("how long differences last", 2 * len(SPACES)) as bar:
        spaces = embedded.keep_by_space(model, given.steps, bar.step)
    with Progress("time", REPEATS * len(embedded.TIMED)) as bar:
        times = embedded.time_side_by_side(model, given.steps, REPEATS, bar.step)
    return {
        "scenes": given.n,
        "groups": groups,
        "steps": given.steps,
        "inputs": embedded.INPUTS,
        "oracle_sha256": fingerprint(),
        "methods": methods,
        "spaces": spaces,
        "times": times,
        "repeats": REPEATS,
    }


def _comfyui(given: argparse.Namespace) -> dict[str, Any] | None:
    return _in_host("comfyui")


def _image_prompts(given: argparse.Namespace) -> dict[str, Any] | None:
    return _in_host("image_prompts", ["--peer", str(given.peer.absolute())] if given.peer else [])


def _in_host(part: str, arguments: Sequence[str] = ()) -> dict[str, Any] | None:
    host = comfyui.find(part)
    if isinstance(host, str):
        sys.stderr.write(host + "\n")
        return None
    with Progress(f"ComfyUI at {host}", 1) as bar:
        found = comfyui.measure(host, comfyui.SCRIPTS[part], arguments)
        bar.step()
    return found


MEASURE = {
    "oracle": _oracle,
    "embedded": _embedded,
    "comfyui": _comfyui,
    "image_prompts": _image_prompts,
}


def _command(given: argparse.Namespace, parts: list[str]) -> str:
    """What to type to make the figures again."""
    scenes = f" --n {given.n} --steps {given.steps}" if "embedded" in parts else ""
    peer = " --peer DIR" if given.peer and "image_prompts" in parts else ""
    where = f" --markdown {given.markdown}" if given.markdown else ""
    return f"mmc bench guidance --parts {','.join(parts)}{scenes}{peer}{where}"
