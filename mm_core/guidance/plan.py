"""A guidance plan is data: an anchor row plus weighted differences of rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch

from ..errors import PlanError
from ..types import Row, Tensor
from .gain import Gain, is_nothing, peak

T = TypeVar("T")


@dataclass(frozen=True)
class Term:
    """weight * (plus - minus). across: only what is perpendicular to that difference counts."""

    plus: Row
    minus: Row
    weight: Gain
    across: tuple[Row, Row] | None = None


@dataclass(frozen=True)
class Part:
    """The plan of some images of a batch, and which these are."""

    images: tuple[int, ...]
    plan: "GuidancePlan"


@dataclass(frozen=True)
class GuidancePlan:
    """anchor plus the sum of terms. Rows that cancel out, or have weight 0, are never run.

    overlap: how much of what several terms say alike is discounted, 0 none to 1 all. parts: where
    images have plans of their own, these; anchor and terms are then all of theirs as one sum.
    """

    anchor: Row
    terms: tuple[Term, ...] = ()
    overlap: float = 0.0
    parts: tuple[Part, ...] = ()

    @property
    def coefficients(self) -> dict[Row, Gain]:
        """What to multiply each row by, but for terms that are taken across another. They sum to 1;
        docs/equations.md, equation 1."""
        total: dict[Row, Gain] = {self.anchor: 1.0}
        for term in self.terms:
            if term.across is None:
                total[term.minus] = total.get(term.minus, 0.0) - term.weight
                total[term.plus] = total.get(term.plus, 0.0) + term.weight
        return {row: c for row, c in total.items() if not is_nothing(c)}

    @property
    def across(self) -> tuple[Term, ...]:
        """The terms that are no sum of rows with fixed coefficients."""
        return tuple(t for t in self.terms if t.across is not None and not is_nothing(t.weight))

    @property
    def discounted(self) -> tuple[Term, ...]:
        """The terms that are discounted for what they share: none, or two and more."""
        return self.terms if self.overlap and len(self.terms) > 1 else ()

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows to run."""
        if self.parts:
            return tuple(dict.fromkeys(row for part in self.parts for row in part.plan.rows))
        bent = [row for t in self.across for row in (t.plus, t.minus, *(t.across or ()))]
        bent += [row for t in self.discounted for row in (t.plus, t.minus)]
        return tuple(dict.fromkeys([*self.coefficients, *bent]))

    @property
    def fullest(self) -> Row:
        """The row that sees most: what the result is a push away from."""
        return max(self.rows, key=lambda row: len(row.names))

    @property
    def strongest(self) -> float:
        """The largest absolute weight of a term."""
        return max((peak(term.weight) for term in self.terms), default=0.0)

    def select(self, predictions: Mapping[Row, T]) -> dict[Row, T]:
        """The predictions this plan adds up, or PlanError naming those that are missing."""
        if missing := [str(r) for r in self.rows if r not in predictions]:
            have = sorted(str(r) for r in predictions)
            raise PlanError(f"the plan needs the rows {missing}; there are {have}")
        return {row: predictions[row] for row in self.rows}


def of_images(parts: Sequence[Part]) -> GuidancePlan:
    """One plan of parts that together have every image of a batch; each keeps its own."""
    if len(parts) == 1:
        return parts[0].plan
    images = sum(len(part.images) for part in parts)
    anchor = max((part.plan.anchor for part in parts), key=lambda row: len(row.names))
    weights: dict[tuple[Row, Row, tuple[Row, Row] | None], Gain] = {}
    for part in parts:
        own = part.plan.terms
        if part.plan.anchor != anchor:
            own = (Term(anchor, part.plan.anchor, -1.0), *own)
        for term in own:
            key = term.plus, term.minus, term.across
            weights[key] = weights.get(key, 0.0) + at_images(part.images, term.weight, images)
    terms = (Term(plus, minus, w, across) for (plus, minus, across), w in weights.items())
    return GuidancePlan(anchor, tuple(terms), parts[0].plan.overlap, tuple(parts))


def at_images(chosen: Sequence[int], weight: Gain, images: int) -> Tensor:
    """A weight at the chosen images, 0 at the others."""
    here = weight if isinstance(weight, Tensor) else torch.full((1, 1, 1), weight)
    out = torch.zeros(images, *here.shape[1:])
    out[list(chosen)] = here.expand(len(chosen), *here.shape[1:])
    return out
