"""mmc train: makes the embedded model, or its priors, again from their recipes."""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ..errors import InputError
from ..weights.command import command
from ..weights.save import save_json
from . import options, train_prior


def add(commands: Any) -> None:
    """Adds the sub-command."""
    p = commands.add_parser(
        "train", help="train the embedded model, or priors, from scenes made on the fly"
    )
    p.add_argument("target", choices=["embedded", "prior"])
    p.add_argument("--config", type=Path, metavar="FILE", help="recipe as JSON; see docs")
    p.add_argument("--minutes", type=float, help="wall time for all networks together")
    p.add_argument("--start", type=Path, metavar="DIR",
                   help="train the denoiser of an earlier --out further")  # fmt: skip
    p.add_argument("--work", type=Path, default=Path("out/train"), metavar="DIR",
                   help="scenes and checkpoints; start again with the same to go on")  # fmt: skip
    p.add_argument("--out", type=Path, default=Path("out/trained"), metavar="DIR")
    train_prior.add_options(p)
    p.add_argument("--threads", type=int, default=0, help="0: all cores")
    p.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Trains, measures and writes the target's files below --out."""
    from ..training.embedded.config import Recipe, read_recipe
    from ..training.embedded.export import MODEL_NAME, ORACLE_NAME
    from ..training.embedded.recipe import train_embedded

    if given.threads < 0:
        options.refuse("--threads", given.threads, "of at least 0; 0 is all cores")
    if given.threads > 0:
        torch.set_num_threads(given.threads)
    torch.set_flush_denormal(True)
    if given.target == "prior":
        line = _Line()
        train_prior.run(given, line)
        line.end()
        train_prior.written(given)
        return
    for option in ("pairs", "kind"):
        if getattr(given, option) is not None:
            raise InputError(f"--{option}: belongs to {command('train', 'prior')}; leave it out")
    recipe = read_recipe(given.config) if given.config else Recipe()
    if given.minutes is not None:
        if not 0 < given.minutes < 1e6:
            raise InputError(f"--minutes {given.minutes:g}: needed a number above 0")
        recipe = _shared(recipe, given.minutes, given.start is not None)
    if given.start is not None and not given.start.is_dir():
        raise InputError(f"--start {given.start}: needed the --out folder of an earlier training")
    for name in (MODEL_NAME, ORACLE_NAME) if given.start else ():
        if not (given.start / name).is_file():
            raise InputError(
                f"--start {given.start}: there is no {name} in it; needed the --out folder of an "
                "earlier training"
            )
    options.writable_folder(given.work, "--work")
    options.writable_folder(given.out)
    save_json(recipe.as_dict(), given.work / "recipe.json")
    line = _Line()
    figures = train_embedded(recipe, given.work, given.out, line, given.start)
    line.end()
    for name, value in figures.items():
        sys.stdout.write(f"{name}: {value}\n")
    sys.stdout.write(f"{given.out}\n")


def _shared(recipe: Any, minutes: float, denoiser_only: bool) -> Any:
    """The budget divided as the shipped weights' was: a tenth, a seventh, the rest."""
    parts = {"autoencoder": 0.10, "oracle": 0.14, "denoiser": 0.76}
    if denoiser_only:
        parts = {"denoiser": 1.0}
    return replace(
        recipe,
        **{n: replace(getattr(recipe, n), minutes=share * minutes) for n, share in parts.items()},
    )


class _Line:
    """One line that is written over on a terminal; a line each ten seconds elsewhere."""

    def __init__(self) -> None:
        self.live, self.last = sys.stderr.isatty(), 0.0

    def __call__(self, text: str) -> None:
        if self.live:
            sys.stderr.write(f"\r{text:<78}")
        elif time.monotonic() - self.last > 10:
            sys.stderr.write(f"{text}\n")
            self.last = time.monotonic()
        sys.stderr.flush()

    def end(self) -> None:
        if self.live:
            sys.stderr.write("\n")
