"""mmc bench: ways to guide by many inputs, side by side; style against text; and priors."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from ..embedded.weights import SHIPPED, load_embedded
from ..errors import InputError
from ..evaluation.bench import comfyui, embedded, exact_world, style, style_chart, tables
from ..evaluation.weights import fingerprint, load_oracle
from ..guidance.planner import SPACES
from ..weights.save import save_bytes, save_json, write_text
from . import bench_prior, options
from .progress import Progress

PARTS = (
    "oracle",
    "embedded",
    "comfyui",
    "image_prompts",
)  # of guidance; style is a part of its own
WHAT = ("guidance", "style", "prior")
STEPS = {"guidance": 25, "style": 16}
REPEATS = 5


def add(commands: Any) -> None:
    """Adds the sub-command."""
    p = commands.add_parser("bench", help="what guidance by many inputs costs, against others")
    p.add_argument("what", choices=WHAT)
    p.add_argument("--parts", metavar="A,B",
                   help=f"of guidance: {', '.join(PARTS)}; "
                        f"of prior: {', '.join(bench_prior.PARTS)}")  # fmt: skip
    p.add_argument("--n", type=int, default=96, help="held-out scenes, in groups of 8 or 16")
    p.add_argument("--steps", type=int, help="25; 16 for style; prior has its own")
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
    p.add_argument("--image", type=Path, metavar="FILE",
                   help="of style: the curves as a PNG; of prior: what one part shows")  # fmt: skip
    p.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Measures part by part, then writes all that was asked for."""
    torch.set_flush_denormal(True)
    if given.what == "prior":
        bench_prior.run(given)
        return
    parts = _parts(given)
    if given.steps is None:
        given.steps = STEPS[given.what]
    group = style.SET if given.what == "style" else embedded.GROUP
    if not group <= given.n <= 10_000 or given.n % group:
        options.refuse("--n", given.n, f"between {group} and 10000 that {group} divides")
    if not 4 <= given.steps <= 1000:
        options.refuse("--steps", given.steps, "between 4 and 1000")
    if given.peer is not None and not (given.peer / "__init__.py").is_file():
        options.refuse("--peer", given.peer, "that is a folder of a pack, with an __init__.py")
    document = options.places(given.markdown, given.image, given.json)
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
    if given.image:
        picture = style_chart.draw(found["style"])
        save_bytes(lambda file: picture.save(file, "png"), given.image)
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


def _style(given: argparse.Namespace) -> dict[str, Any]:
    model, _ = load_embedded(given.model)
    judge, _ = load_oracle()
    with Progress("style against text", len(style.POINTS) * given.n // style.SET) as bar:
        found = style.compare(model, judge, given.n, given.steps, style.POINTS, bar.step)
    return {**found, "oracle_sha256": fingerprint()}


MEASURE = {
    "oracle": _oracle,
    "embedded": _embedded,
    "comfyui": _comfyui,
    "image_prompts": _image_prompts,
    "style": _style,
}


def _parts(given: argparse.Namespace) -> list[str]:
    """What to measure; what belongs to the other subject is refused."""
    if given.what == "style":
        if given.parts is not None:
            raise InputError(f"--parts {given.parts}: style has no parts; leave it out")
        return ["style"]
    if given.image is not None:
        raise InputError(f"--image {given.image}: guidance has no picture; leave it out")
    asked = "oracle,embedded" if given.parts is None else given.parts
    return options.parts(asked, PARTS)


def _command(given: argparse.Namespace, parts: list[str]) -> str:
    """What to type to make the figures again."""
    counted = {"embedded", "style"} & set(parts)
    scenes = f" --n {given.n} --steps {given.steps}" if counted else ""
    chosen = "" if given.what == "style" else f" --parts {','.join(parts)}"
    peer = " --peer DIR" if given.peer and "image_prompts" in parts else ""
    where = f" --markdown {given.markdown}" if given.markdown else ""
    image = f" --image {given.image}" if given.image else ""
    return f"mmc bench {given.what}{chosen}{scenes}{peer}{where}{image}"
