"""Which rows to run at each evaluation, so that many inputs cost little more than none.

What a row differs by from the reference row changes slowly when it is measured in the right units,
so it is kept, and run again when the error that this may have caused reaches a budget. The planner
never runs a row: it says which to run, is given their predictions, and fills in the others.
docs/equations.md, equation 12.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch

from ..errors import PlanError
from ..types import Latent, Row, Tensor
from .gain import peak
from .plan import GuidancePlan

FARTHEST = 200.0  # noise to signal beyond which nothing differs: a flow starts at infinity
SPACES: dict[str, Callable[[float], float]] = {
    "x0": lambda noise: 1.0,
    "velocity": lambda noise: noise / (1 + noise),
    "eps": lambda noise: noise,
}
"""How a difference of denoised latents scales with the ratio of noise to signal."""


@dataclass(frozen=True)
class Effort:
    """How much may be saved.

    tolerance: relative error of the finished latent that may be spent; 0 runs every row always.
    every: run each kept row at every so-many-th evaluation, whatever its error; 0 leaves that to
    the tolerance.
    warm_up: evaluations at the start at which every row is run. oldest: evaluations after which a
    row is run whatever its error.
    """

    tolerance: float = 0.0
    every: int = 0
    warm_up: int = 2
    oldest: int = 8
    space: str = "eps"

    def __post_init__(self) -> None:
        if self.space not in SPACES:
            raise PlanError(f"there is no space {self.space!r}; choose from {list(SPACES)}")
        if not 0 <= self.tolerance < math.inf:
            raise PlanError(f"the tolerance is {self.tolerance}; it must be 0 or more")

    @property
    def exact(self) -> bool:
        """Whether nothing is saved."""
        return self.tolerance == 0 and self.every == 0


EXACT = Effort()
BALANCED = Effort(tolerance=0.014)  # the finished latent then stays within 1 % of exact
FAST = Effort(every=2)


@dataclass
class Kept:
    """What is known of one row: its last two differences from the reference, newest first, each
    with the noise it was seen at, and how far that can be trusted.

    change: root mean square between the two, in the mean of the batch. trust: how much larger the
    error was than foreseen. ledger: error since it was last run. gain: its coefficient then.
    """

    seen: list[tuple[float, Tensor]] = field(default_factory=list)
    change: float = 0.0
    trust: float = 1.0
    ledger: float = 0.0
    age: int = 0
    gain: float = 0.0


@dataclass(frozen=True)
class Step:
    """One evaluation, for the report. errors are shares of the finished latent."""

    noise: float
    fresh: tuple[str, ...]
    kept: tuple[str, ...]
    spent: float
    audited: float


class Planner:
    """State of one run. Use a new one for each."""

    def __init__(self, effort: Effort = EXACT):
        self.effort = effort
        self.tolerance = effort.tolerance
        self.steps: list[Step] = []
        self._kept: dict[Row, Kept] = {}
        self._reference: Row | None = None
        self._noise = math.inf
        self._size = 0.0  # root mean square of the reference row's last prediction
        self._pending: dict[Row, float] = {}  # error foreseen for each row of this evaluation
        self._alarm = 0  # evaluations for which everything is run again

    def choose(self, plan: GuidancePlan, noise: float, following: float) -> tuple[Row, ...]:
        """The rows to run now, the reference row last.

        noise, following: ratio of noise to signal here and at the next step; 0 at the end.
        """
        reference = reference_row(plan)
        noise, following = min(noise, FARTHEST), min(following, FARTHEST)
        if reference != self._reference or noise > self._noise * (1 + 1e-6):
            self._kept.clear()
            self._reference, self._alarm = reference, 0
        self._noise = noise
        others = [row for row in plan.rows if row != reference]
        self._kept = {row: self._kept.get(row, Kept()) for row in others}
        share = 1 - following / noise if noise else 1.0
        gains = _gains(plan)
        self._pending = {row: self._foreseen(row, gains[row], noise, share) for row in others}
        run = [row for row in others if self._must_run(row, gains[row], len(others))]
        self._alarm = max(0, self._alarm - 1)
        return (*run, reference)

    def complete(
        self, fresh: Mapping[Row, Latent], plan: GuidancePlan, following: float
    ) -> dict[Row, Latent]:
        """Every row of the plan: those that were run, and the others as foreseen."""
        reference = reference_row(plan)
        following = min(following, FARTHEST)
        anchor = fresh[reference]
        out = {reference: anchor}
        scale = SPACES[self.effort.space](self._noise)
        figures = [] if self.effort.exact else [_size(anchor)]
        for row, kept in self._kept.items():
            if row in fresh:
                out[row] = fresh[row]
                if self.effort.exact:
                    continue
                difference = (anchor - fresh[row]) / scale
                expected = self._expected(kept)
                missed = difference - expected if expected is not None else difference * 0
                figures += [_size(missed) * scale]
                figures += [_size(difference - kept.seen[0][1]) if kept.seen else figures[0] * 0]
                # Seen twice at one noise, as by the correctors of some samplers, it has no slope.
                before = [seen for seen in kept.seen if seen[0] > self._noise * (1 + 1e-6)]
                kept.seen = [(self._noise, difference), *before][:2]
            else:
                expected = self._expected(kept)
                assert expected is not None
                out[row] = anchor - scale * expected
        if self.effort.exact:
            self.steps.append(Step(self._noise, tuple(str(row) for row in fresh), (), 0.0, 0.0))
        else:
            self._learn(fresh, plan, following, torch.stack(figures).tolist())  # the one host sync
        return {row: out[row] for row in plan.rows}

    def forget(self) -> None:
        """Lets go of all latents. What was counted stays."""
        self._kept.clear()
        self._reference = None

    def _expected(self, kept: Kept) -> Tensor | None:
        """The difference now: the last one and half of where the last two point."""
        if not kept.seen:
            return None
        newest = kept.seen[0][1]
        slope = self._slope(kept)
        return newest if slope == 0 else newest + slope * (newest - kept.seen[1][1])

    def _slope(self, kept: Kept) -> float:
        if len(kept.seen) < 2:
            return 0.0
        (s1, _), (s2, _) = kept.seen
        if not 0 < self._noise < s1 < s2:
            return 0.0
        return 0.5 * min(1.0, math.log(self._noise / s1) / math.log(s1 / s2))

    def _foreseen(self, row: Row, gain: float, noise: float, share: float) -> float:
        """By how much of the latent's size the result may be off for not running this row."""
        kept = self._kept[row]
        if not self._size:
            return 0.0
        off = kept.trust * abs(self._slope(kept)) * kept.change * SPACES[self.effort.space](noise)
        return gain * share * off / self._size

    def _must_run(self, row: Row, gain: float, count: int) -> bool:
        kept, effort = self._kept[row], self.effort
        if effort.exact or self._alarm or len(kept.seen) < effort.warm_up:
            return True
        if kept.age >= effort.oldest or abs(gain - kept.gain) > 0.2 * kept.gain:
            return True
        if effort.every:
            return kept.age + 1 >= effort.every
        return kept.ledger + self._pending[row] > self.tolerance / count

    def _learn(
        self, fresh: Mapping[Row, Latent], plan: GuidancePlan, following: float, found: list[float]
    ) -> None:
        self._size = found[0]
        share = 1 - following / self._noise if self._noise else 1.0
        gains, spent, audited, at = _gains(plan), 0.0, 0.0, 1
        surprised = False
        for row, kept in self._kept.items():
            if row not in fresh:
                kept.ledger += self._pending[row]
                kept.age += 1
                spent += self._pending[row]
                continue
            missed, change = found[at : at + 2]
            at += 2
            foreseen = self._pending[row]
            error = gains[row] * share * missed / self._size if self._size else 0.0
            audited += error
            if foreseen > 0:
                kept.trust = min(5.0, max(0.3, 0.5 * kept.trust * (1 + error / foreseen)))
            if self.tolerance and len(kept.seen) > 1 and kept.age:
                surprised |= error > self.tolerance
            kept.change, kept.ledger, kept.age, kept.gain = change, 0.0, 0, gains[row]
        if surprised:
            self._alarm = 2
        ran = tuple(str(row) for row in fresh)
        rest = tuple(str(row) for row in self._kept if row not in fresh)
        self.steps.append(Step(self._noise, ran, rest, spent, audited))


def reference_row(plan: GuidancePlan) -> Row:
    """The row that is always run: the anchor, or the fullest row where the anchor cancels."""
    return plan.anchor if plan.anchor in plan.rows else plan.fullest


def _gains(plan: GuidancePlan) -> dict[Row, float]:
    """How strongly an error of each row shows in the result."""
    gains = {row: peak(c) for row, c in plan.coefficients.items()}
    for term in plan.across:
        for row in (term.plus, term.minus, *(term.across or ())):
            gains[row] = gains.get(row, 0.0) + peak(term.weight)
    return gains


def _size(x: Latent) -> Tensor:
    """Root mean square of an image, in the mean of the batch."""
    return x.float().flatten(1).square().mean(1).sqrt().mean()
