"""A guidance plan is data: an anchor row plus weighted differences of rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from ..errors import PlanError
from ..types import Row

T = TypeVar("T")
NEGLIGIBLE = 1e-9


@dataclass(frozen=True)
class Term:
    """weight * (plus - minus)."""

    plus: Row
    minus: Row
    weight: float


@dataclass(frozen=True)
class GuidancePlan:
    """anchor plus the sum of terms. Rows that cancel out, or have weight 0, are never run."""

    anchor: Row
    terms: tuple[Term, ...] = ()

    @property
    def coefficients(self) -> dict[Row, float]:
        """What to multiply each row by. They sum to 1; docs/equations.md, equation 1."""
        total = {self.anchor: 1.0}
        for term in self.terms:
            total[term.minus] = total.get(term.minus, 0.0) - term.weight
            total[term.plus] = total.get(term.plus, 0.0) + term.weight
        return {row: c for row, c in total.items() if abs(c) > NEGLIGIBLE}

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows to run."""
        return tuple(self.coefficients)

    def select(self, predictions: Mapping[Row, T]) -> dict[Row, T]:
        """The predictions this plan adds up, or PlanError naming those that are missing."""
        if missing := [str(r) for r in self.rows if r not in predictions]:
            have = sorted(str(r) for r in predictions)
            raise PlanError(f"the plan needs the rows {missing}; there are {have}")
        return {row: predictions[row] for row in self.rows}
