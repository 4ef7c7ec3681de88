"""Modalities over a whole sampling run: which plan holds at which moment."""

from collections.abc import Sequence
from dataclasses import dataclass

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

    def plan_at(self, progress: float) -> GuidancePlan:
        """progress: 0 at the first step, towards 1. A modality that does not act is not seen."""
        weights = {m.name: self._pushed(m.weight) for m in self.modalities if m.acts_at(progress)}
        return compose(self.composition, weights)

    def rows(self) -> tuple[Row, ...]:
        """Every row that any moment needs, in a fixed order; most runs need but one set."""
        edges = {0.0} | {e for m in self.modalities for e in (m.window.start, m.window.end)}
        found: dict[Row, None] = {}
        for edge in sorted(e for e in edges if e < 1):
            found |= dict.fromkeys(self.plan_at(edge).rows)
        return tuple(found)

    def _pushed(self, weight: float) -> float:
        return 1 + (weight - 1) * self.push


def auto_named(names: Sequence[str]) -> list[str]:
    """Makes repeated names distinct: style, style 2, style 3."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return out
