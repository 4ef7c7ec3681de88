"""mmc train prior: the embedded model's own priors, or one for pairs of embeddings."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from ..errors import InputError
from ..weights.save import save_json
from . import options

KINDS = ("diffusion", "autoregressive")


def add_options(p: argparse.ArgumentParser) -> None:
    """Options of this target alone."""
    p.add_argument("--pairs", type=Path, metavar="DIR",
                   help="prior: a folder of pairs; docs/priors.md says of what")  # fmt: skip
    p.add_argument("--kind", choices=KINDS, help="prior, with --pairs: which to train")


def run(given: argparse.Namespace, report: Callable[[str], None]) -> None:
    """Trains and writes prior.safetensors below --out."""
    from ..embedded.weights import load_embedded
    from ..training.embedded.config import fill_recipe
    from ..training.priors.config import PriorRecipe
    from ..training.priors.pairs import read_pairs
    from ..training.priors.recipe import train_embedded_priors, train_on_pairs, undropped

    if given.start is not None:
        raise InputError(f"--start {given.start}: a prior has no earlier one; leave it out")
    if given.kind and not given.pairs:
        raise InputError(f"--kind {given.kind}: needed with --pairs only; give both or neither")
    kind = (given.kind or KINDS[0]) if given.pairs else None
    recipe = fill_recipe(given.config, PriorRecipe()) if given.config else PriorRecipe()
    if given.minutes is not None:
        if not 0 < given.minutes < 1e6:
            raise InputError(f"--minutes {given.minutes:g}: needed a number above 0")
        recipe = recipe.within(given.minutes, kind)
    pairs = read_pairs(given.pairs) if given.pairs else None
    options.writable_folder(given.out)
    options.writable_folder(given.work, "--work")
    save_json(recipe.as_dict(), given.work / "recipe.json")
    if pairs and kind:
        if said := undropped(pairs, given.pairs, kind, recipe):
            sys.stderr.write(f"{said}\n")
        train_on_pairs(pairs, given.pairs, kind, recipe, given.work, given.out, report)
        return
    model, _ = load_embedded()
    train_embedded_priors(model, recipe, given.work, given.out, report)


def written(given: argparse.Namespace) -> None:
    """Says where the result lies."""
    from ..training.priors.recipe import NAME

    sys.stdout.write(f"{given.out / NAME}\n")
