"""Modalities over a whole sampling run: which plan holds at which moment."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from ..errors import PlanError
from ..types import Modality, Row
from .compositions import COMPOSITIONS, DEFAULT, compose
from .plan import GuidancePlan


@dataclass(frozen=True)
class Program:
    """What to guide with. push multiplies every weight's distance from 1: 0 is no guidance at all.

    The order of modalities matters to `chained` and `nested` only.
    """

    modalities: tuple[Modality, ...]
    composition: str = DEFAULT
    push: float = 1.0

    def __post_init__(self) -> None:
        names = [m.name for m in self.modalities]
        if twice := sorted({n for n in names if names.count(n) > 1}):
            raise PlanError(f"there are two modalities named {twice}; each needs its own name")
        if self.composition not in COMPOSITIONS:
            raise PlanError(
                f"there is no composition {self.composition!r}; choose from {list(COMPOSITIONS)}"
            )
        if not math.isfinite(self.push):
            raise PlanError(f"the push is {self.push}; it must be a finite number, for example 1")

    def plan_at(self, progress: float) -> GuidancePlan:
        """progress: 0 at the first step, towards 1. A modality that does not act is not seen."""
        weights = {m.name: self._pushed(m.weight) for m in self.modalities if m.acts_at(progress)}
        return compose(self.composition, weights)

    def edges(self) -> tuple[float, ...]:
        """Where in sampling the plan may change, from 0 up."""
        windows = [m.window for m in self.modalities]
        return tuple(sorted({0.0, *(e for w in windows for e in (w.start, w.end) if e < 1)}))

    def rows(self) -> tuple[Row, ...]:
        """Every row that any moment needs, in a fixed order; most runs need but one set."""
        return tuple(dict.fromkeys(row for e in self.edges() for row in self.plan_at(e).rows))

    @property
    def strongest_push(self) -> float:
        """The largest distance of a weight from 1, after push."""
        return max((abs(self._pushed(m.weight) - 1) for m in self.modalities), default=0.0)

    def _pushed(self, weight: float) -> float:
        return 1 + (weight - 1) * self.push


def auto_named(names: Sequence[str]) -> list[str]:
    """Makes repeated names distinct: style, style 2, style 3."""
    out: list[str] = []
    for name in names:
        numbered = (f"{name} {k}" for k in count(2))
        free = (n for n in numbered if n not in out and n not in names)
        out.append(next(free) if name in out else name)
    return out
