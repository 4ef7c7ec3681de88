"""The terms of a plan as they are told of: one for each subject, also where images have plans of
their own and the same subject's push is a difference of other rows in each."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..types import Latent, Row, Tensor
from .algebra import only, together
from .measure import measurable, subject
from .plan import GuidancePlan, Term, at_images
from .program import auto_named


@dataclass(frozen=True)
class Told:
    """terms: differences of rows. subjects, stale: of each, whose push it is, and whether one of
    its rows was kept. rows: denoised latents. fullest: the row that sees most."""

    terms: tuple[Term, ...]
    subjects: tuple[str, ...]
    stale: tuple[bool, ...]
    rows: Mapping[Row, Latent]
    fullest: Row


def of_batch(plan: GuidancePlan, predictions: Mapping[Row, Latent], fresh: Collection[Row]) -> Told:
    """predictions: of all rows of the plan. fresh: those that were run."""
    if not plan.parts:
        return _of_all(plan, predictions, fresh)
    parts = [_of_all(p.plan, only(predictions, p), fresh) for p in plan.parts]
    keys = [
        [(name, t.across is not None) for name, t in zip(p.subjects, p.terms, strict=True)]
        for p in parts
    ]
    every = list(dict.fromkeys(key for of in keys for key in of))
    rows = {FULLEST: together([p.rows[p.fullest] for p in parts], plan)}
    terms: list[Term] = []
    stale: list[bool] = []
    for key in every:
        own = [
            p.terms[of.index(key)] if key in of else Term(p.fullest, p.fullest, 0.0)
            for p, of in zip(parts, keys, strict=True)
        ]
        terms.append(_joined(own, parts, plan, rows, str(len(terms)), across=key[1]))
        stale.append(
            any(p.stale[of.index(key)] for p, of in zip(parts, keys, strict=True) if key in of)
        )
    names = auto_named([name for name, _ in every])
    return Told(tuple(terms), tuple(names), tuple(stale), rows, FULLEST)


FULLEST = Row.of(["fullest"])


def _of_all(plan: GuidancePlan, predictions: Mapping[Row, Latent], fresh: Collection[Row]) -> Told:
    terms = measurable(plan, predictions)
    stale = (any(row not in fresh for row in (t.plus, t.minus, *(t.across or ()))) for t in terms)
    fullest = max(predictions, key=lambda row: len(row.names))
    names = auto_named([subject(t) for t in terms])
    return Told(terms, tuple(names), tuple(stale), predictions, fullest)


def _joined(
    own: list[Term],
    parts: list[Told],
    plan: GuidancePlan,
    rows: dict[Row, Latent],
    name: str,
    across: bool,
) -> Term:
    """One term of the parts' terms. Its rows go to `rows`."""

    def row(part: str, of: list[Row]) -> Row:
        key = Row.of([f"{name} {part}"])
        rows[key] = together([p.rows[r] for p, r in zip(parts, of, strict=True)], plan)
        return key

    images = sum(len(p.images) for p in plan.parts)
    weight: float | Tensor = 0.0
    for p, term in zip(plan.parts, own, strict=True):
        weight = weight + at_images(p.images, term.weight, images)
    ends = row("plus", [t.plus for t in own]), row("minus", [t.minus for t in own])
    if not across:
        return Term(*ends, weight)
    along = [t.across or (t.plus, t.minus) for t in own]
    pair = row("ahead", [a for a, _ in along]), row("behind", [b for _, b in along])
    return Term(*ends, weight, pair)
