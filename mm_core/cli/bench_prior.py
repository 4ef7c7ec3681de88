"""mmc bench prior: the embedded model's own priors, against words straight through and none."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from ..embedded.model import EmbeddedModel
from ..embedded.prior import SHIPPED, EmbeddedPriors, load_priors
from ..embedded.weights import load_embedded
from ..encoders.pictures import to_image
from ..errors import InputError
from ..evaluation.bench import mixes, prior_words, priors, priors_table, variations
from ..evaluation.bench.shown import Shown
from ..evaluation.oracle import Oracle
from ..evaluation.weights import fingerprint, load_oracle
from ..weights.save import save_bytes, save_json, write_text
from . import options
from .progress import Progress
from .sheet import Strip, contact_sheet

PAINTED = 64  # of the captions, at most
IMAGES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
Tick = Callable[[], None]


@dataclass(frozen=True)
class Part:
    """title: of the sheet. steps(n): how often measure calls its last argument."""

    title: str
    steps: Callable[[int], int]
    measure: Callable[
        [EmbeddedModel, EmbeddedPriors, Oracle, int, Tick], tuple[dict[str, Any], Shown]
    ]


def _ways(
    model: EmbeddedModel, loaded: EmbeddedPriors, judge: Oracle, n: int, tick: Tick
) -> tuple[dict[str, Any], Shown]:
    return priors.compare(model, loaded, judge, n, min(PAINTED, n), tick), []


PARTS = {
    "ways": Part("Words to an image embedding", priors.steps, _ways),
    "words": Part("Words alone into a picture", prior_words.steps, prior_words.compare),
    "variations": Part("Variations of pictures", variations.steps, variations.compare),
    "mixes": Part("Between image embeddings", mixes.steps, mixes.compare),
}


def run(given: argparse.Namespace, path: Path = SHIPPED) -> None:
    """Measures part by part, then writes all that was asked for. path: of the priors."""
    parts = _parts(given)
    for option in ("steps", "peer"):
        if (value := getattr(given, option)) is not None:
            raise InputError(f"--{option} {value} is of other benchmarks; take the option away")
    if not 8 <= given.n <= 10_000 or given.n % 4:
        options.refuse("--n", given.n, "between 8 and 10000 that 4 divides")
    document = options.places(given.markdown, given.image, given.json)
    if given.markdown:
        priors_table.check(document, parts, f"--markdown {given.markdown}")
    model, _ = load_embedded(given.model)
    loaded, _ = load_priors(path)
    judge, _ = load_oracle()
    found: dict[str, Any] = {}
    shown: Shown = []
    for name in parts:
        with Progress(PARTS[name].title, PARTS[name].steps(given.n)) as bar:
            found[name], shown = PARTS[name].measure(model, loaded, judge, given.n, bar.step)
    result = {"command": _command(given, parts), "oracle_sha256": fingerprint(), "parts": found}
    if given.json == "-":
        sys.stdout.write(json.dumps(result, indent=1, allow_nan=False) + "\n")
    elif given.json:
        save_json(result, Path(given.json))
    if given.markdown:
        write_text(priors_table.insert(document, result), given.markdown)
    if given.image:
        _save(sheet(PARTS[parts[0]].title, shown), given.image)
    if not given.json and not given.markdown:
        sys.stderr.write("".join(f"{priors_table.TABLES[p](f)}\n" for p, f in found.items()))


def sheet(title: str, shown: Shown) -> Image.Image:
    """The pictures that a part shows, row by row."""
    return contact_sheet(
        title,
        [Strip(name, [(label, to_image(p)) for label, p in tiles]) for name, tiles in shown],
    )


def _save(picture: Image.Image, path: Path) -> None:
    kind = IMAGES[path.suffix.lower()]
    extra = {"quality": 85} if kind == "JPEG" else {}
    save_bytes(lambda file: picture.save(file, kind, **extra), path)


def _parts(given: argparse.Namespace) -> list[str]:
    parts = options.parts("ways" if given.parts is None else given.parts, PARTS)
    if given.image is not None:
        if len(parts) != 1 or parts == ["ways"]:
            raise InputError(
                f"--image {given.image} is of one part that shows pictures; choose it by --parts "
                "words, variations or mixes"
            )
        if given.image.suffix.lower() not in IMAGES:
            raise InputError(f"--image {given.image}: the name must end in {', '.join(IMAGES)}")
    return parts


def _command(given: argparse.Namespace, parts: list[str]) -> str:
    """What to type to make the figures again."""
    chosen = "" if parts == ["ways"] else f" --parts {','.join(parts)}"
    where = f" --markdown {given.markdown}" if given.markdown else ""
    image = f" --image {given.image}" if given.image else ""
    return f"mmc bench prior{chosen} --n {given.n}{where}{image}"
