"""All of a training: scenes, space, tower and both priors; or one prior on a folder of pairs."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from ...embedded.model import EmbeddedModel
from ...embedded.prior import EmbeddedPriors, StyleSpace, save_priors
from ...embedded.vocabulary import PAD, tokenize
from ...errors import InputError
from ...evaluation.bench.priors import cosines
from ...priors.autoregressive import AutoregressivePrior
from ...priors.codes import principal
from ...priors.load import save_prior
from ...priors.prior import PriorText
from ...priors.space import EMBEDDED, space_of_width
from ...types import Tensor, Tokens
from ...weights.save import save_json, save_tensors
from ..embedded.loop import Report, steps_done
from .config import PriorRecipe
from .fit import fit_autoregressive, fit_diffusion
from .pairs import CAPTIONS, EMPTY, Pairs, make_styled
from .tower import fit_tower

NAME = "prior.safetensors"
STAGES = ("tower", "diffusion", "autoregressive")


def train_embedded_priors(
    model: EmbeddedModel,
    recipe: PriorRecipe,
    work: Path,
    out: Path,
    report: Report,
    captions: int = 128,
) -> EmbeddedPriors:
    """Fits tower and priors on the embedded model's scenes and writes them to out / NAME.

    captions: held-out ones, on which the figures in the header are measured.

    A stopped run goes on from the work folder. Raises InputError for a folder of another recipe.
    """
    same_work(recipe, work, "embedded")
    tokens, numbers = _scenes(model, recipe, work, report)
    space = StyleSpace()
    mean, basis, _ = principal(tokens.flatten(1), EMBEDDED.width)
    space.mean.copy_(mean)
    space.basis.copy_(basis)
    vectors = space.embed(tokens).vectors

    def words(step: int, size: int) -> tuple[Tokens, Tensor, Tensor]:
        rng = torch.Generator().manual_seed(step)
        index = torch.randint(len(vectors), (size,), generator=rng)
        which = torch.randint(CAPTIONS, (size,), generator=rng)
        chosen = numbers[index, which].long()
        with torch.no_grad():
            return model.text(chosen), chosen != PAD, vectors[index]

    tower = fit_tower(
        words, recipe.tower_layers, recipe.tower, recipe.seed, _at(work, "tower"),
        lambda line: report(f"tower  {line}"),
    )  # fmt: skip

    @torch.no_grad()
    def batch(step: int, size: int) -> tuple[PriorText, Tensor]:
        told, mask, wanted = words(step, size)
        return tower(told, mask), wanted

    nothing = torch.tensor([tokenize("")])
    with torch.no_grad():
        empty = tower(model.text(nothing), nothing != PAD)
    priors: dict[str, Any] = {}
    fits = {"diffusion": fit_diffusion, "autoregressive": fit_autoregressive}
    for name, fit in fits.items():
        told = _named(report, name)
        priors[name] = fit(batch, vectors, empty, EMBEDDED, recipe, _at(work, name), told)
    made = EmbeddedPriors(tower, space, priors)
    report(f"measuring on {captions} held-out captions")
    found = cosines(model, made, captions, min(1024, 8 * captions))
    figures = {"held_out_captions": captions, "cosine": found}
    save_priors(made, out / NAME, _told(recipe, work), figures)
    return made


def train_on_pairs(
    pairs: Pairs,
    folder: Path,
    kind: str,
    recipe: PriorRecipe,
    work: Path,
    out: Path,
    report: Report,
) -> None:
    """Fits one prior to a folder's pairs and writes it to out / NAME.

    Its header holds the settings that acted. Raises InputError for a work folder of other pairs,
    and for a training that diverged.
    """
    has_empty = pairs.empty is not None
    beside = f'{"with" if has_empty else "without"} the text ""'
    same_work(recipe, work, f"{kind} {folder.absolute()}, {len(pairs)} pairs, {beside}")
    space = space_of_width(pairs.vectors.shape[1])

    def batch(step: int, size: int) -> tuple[PriorText, Tensor]:
        rng = torch.Generator().manual_seed(step)
        return pairs.rows(torch.randint(len(pairs), (size,), generator=rng))

    fit = fit_diffusion if kind == "diffusion" else fit_autoregressive
    prior = fit(batch, pairs.vectors, pairs.empty, space, recipe, _at(work, kind), report)
    told = recipe.acted(kind, has_empty) | {"pairs": len(pairs), "empty": has_empty}
    if isinstance(prior, AutoregressivePrior):
        told[f"{kind}_network"]["codes"] = prior.network.sizes.codes
    save_prior(prior, out / NAME, told | {"steps_run": {kind: steps_done(_at(work, kind))}})


def undropped(pairs: Pairs, folder: Path, kind: str, recipe: PriorRecipe) -> str | None:
    """What is to be said where the recipe drops texts and the fit cannot; None where it can."""
    if pairs.empty is not None or kind != "diffusion" or recipe.drop == 0:
        return None
    return (
        f"{folder} has no {EMPTY}, so no text is dropped, though drop is {recipe.drop:g}: guidance "
        f'will have nothing to move away from; add the text "" as {EMPTY} and another --work if '
        "you want it"
    )


def same_work(recipe: PriorRecipe, work: Path, data: str) -> None:
    """Writes down what a work folder is for, or refuses one made for something else.

    Budgets may change: a stopped run may be given more time.
    """
    purpose: dict[str, Any] = {**recipe.as_dict(), "data": data}
    for stage in STAGES:
        purpose[stage] = {k: v for k, v in purpose[stage].items() if k not in ("steps", "minutes")}
    note = work / "work.json"
    if not note.exists():
        save_json(purpose, note)
        return
    before = json.loads(note.read_text(encoding="utf-8"))
    if before != purpose:
        other = next(k for k in purpose if purpose[k] != before.get(k))
        raise InputError(
            f"{work} holds the work of another training: {other} is {purpose[other]!r} now and "
            f"was {before.get(other)!r}; choose another --work"
        )


def _scenes(
    model: EmbeddedModel, recipe: PriorRecipe, work: Path, report: Report
) -> tuple[Tokens, Tensor]:
    """Style tokens and captions of all scenes, made once for each work folder."""
    path = work / "scenes.safetensors"
    if not path.exists():
        count = -(-recipe.scenes // 4) * 4
        made = make_styled(model, count, recipe.seed, lambda n: report(f"scenes  {n} of {count}"))
        numbers = torch.tensor([[tokenize(c) for c in row] for row in made.captions])
        save_tensors({"tokens": made.tokens.half(), "captions": numbers.byte()}, path)
    flat = load_file(path)
    return flat["tokens"].float(), flat["captions"]


def _told(recipe: PriorRecipe, work: Path) -> dict[str, Any]:
    done = {s: steps_done(p) for s in STAGES if (p := _at(work, s)).exists()}
    return {**recipe.as_dict(), "steps_run": done}


def _named(report: Report, stage: str) -> Report:
    return lambda line: report(f"{stage}  {line}")


def _at(work: Path, stage: str) -> Path:
    return work / f"{stage}.safetensors"
