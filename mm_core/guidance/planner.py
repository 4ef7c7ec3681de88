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
from .algebra import combine
from .gain import peak
from .plan import GuidancePlan

FARTHEST = 200.0  # noise to signal beyond which nothing differs: a flow starts at infinity
SPACES: dict[str, Callable[[float], float]] = {
    "x0": lambda noise: 1.0,
    "velocity": lambda noise: noise / (1 + noise),
    "eps": lambda noise: noise,
}
"""How a difference of denoised latents scales with the ratio of noise to signal."""
AHEAD = 0.75  # share of where the last two differences point that is believed; docs/adr/0007
SURPRISE = 3.0  # times the tolerance: an error this large was a turn that nobody foresaw


@dataclass(frozen=True)
class Effort:
    """How much may be saved.

    tolerance: error that may be spent each time rows are kept, as a share of all that guidance has
    changed so far; 0 runs every row always.
    every: run each kept row at every so-many-th evaluation, whatever its error; 0 leaves that to
    the tolerance.
    warm_up: evaluations at the start at which every row is run. oldest: evaluations after which a
    row is run whatever its error.
    budget: most runs of a kept row for each evaluation so far, besides the warm-up; evaluations
    that had no use for the row save up for it. 0 is no limit.
    """

    tolerance: float = 0.0
    every: int = 0
    warm_up: int = 2
    oldest: int = 16
    space: str = "velocity"
    budget: float = 0.0

    def __post_init__(self) -> None:
        if self.space not in SPACES:
            raise PlanError(f"there is no space {self.space!r}; choose from {list(SPACES)}")
        if not 0 <= self.tolerance < math.inf:
            raise PlanError(f"the tolerance is {self.tolerance}; it must be 0 or more")
        if not 0 <= self.budget < math.inf:
            raise PlanError(f"the budget is {self.budget}; it must be 0 or more")

    @property
    def exact(self) -> bool:
        """Whether nothing is saved."""
        return self.tolerance == 0 and self.every == 0


EXACT = Effort()
BALANCED = Effort(tolerance=0.035)  # in the exact world: within 1 % of the latent
FAST = Effort(every=2, budget=0.25)  # 1.33 rows in 25 steps: two thirds of plain guidance's two


@dataclass
class Kept:
    """What is known of one row: its last two differences from the reference, newest first, each
    with the noise it was seen at, and how far that can be trusted.

    change: root mean square between the two, in the mean of the batch. trust: how much larger the
    error was than foreseen. ledger: error since it was last run. gain: its coefficient then.
    runs: how often it was run.
    """

    seen: list[tuple[float, Tensor]] = field(default_factory=list)
    change: float = 0.0
    trust: float = 1.0
    ledger: float = 0.0
    age: int = 0
    gain: float = 0.0
    runs: int = 0


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
        self._push = 0.0  # root mean square of what guidance changed in the last evaluation
        self._pushed = 0.0  # sum of what all evaluations so far moved the latent by for it
        self._share = 1.0  # of a change of this prediction, what the step moves the latent by
        self._begun = 0  # evaluations before this pass
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
            self._reference, self._alarm, self._begun = reference, 0, len(self.steps)
            self._push = self._pushed = 0.0
        self._noise = noise
        others = [row for row in plan.rows if row != reference]
        self._kept = {row: self._kept.get(row, Kept()) for row in others}
        self._share = max(0.0, 1 - following / noise) if noise else 1.0
        gains = _gains(plan)
        self._pending = {row: gains[row] * self._foreseen(row) for row in others}
        run = [row for row in others if self._must_run(row, gains[row], len(others))]
        self._alarm = max(0, self._alarm - 1)
        return (*run, reference)

    def complete(self, fresh: Mapping[Row, Latent], plan: GuidancePlan) -> dict[Row, Latent]:
        """Every row of the plan: those that were run, and the others as foreseen."""
        reference = reference_row(plan)
        anchor = fresh[reference]
        out = {reference: anchor}
        scale = SPACES[self.effort.space](self._noise)
        figures: list[Tensor] = []
        for row, kept in self._kept.items():
            if row in fresh:
                out[row] = fresh[row]
                if self.effort.exact:
                    continue
                difference = (anchor - fresh[row]) / scale
                expected = self._expected(kept)
                missed = difference - expected if expected is not None else difference * 0
                figures += [_size(missed) * scale]
                figures += [_size(difference - kept.seen[0][1] if kept.seen else difference * 0)]
                # Seen twice at one noise, as by the correctors of some samplers, it has no slope.
                before = [seen for seen in kept.seen if seen[0] > self._noise * (1 + 1e-6)]
                kept.seen = [(self._noise, difference), *before][:2]
            else:
                expected = self._expected(kept)
                assert expected is not None
                out[row] = anchor - scale * expected
        out = {row: out[row] for row in plan.rows}
        if self.effort.exact or not self._kept:
            self._note(fresh, 0.0, 0.0)
        else:
            figures += [_size(anchor), _size(combine(out, plan) - anchor)]
            self._learn(fresh, plan, torch.stack(figures).tolist())  # the one host sync
        return out

    def forget(self) -> None:
        """Lets go of all latents. What was counted stays."""
        self._kept.clear()
        self._reference = None

    def _expected(self, kept: Kept) -> Tensor | None:
        """The difference now: the last one and most of where the last two point."""
        if not kept.seen:
            return None
        newest = kept.seen[0][1]
        ahead = AHEAD * min(1.0, self._distance(kept))
        return newest if ahead == 0 else newest + ahead * (newest - kept.seen[1][1])

    def _distance(self, kept: Kept) -> float:
        """How far the noise has fallen since the row was run, in units of its fall before that."""
        if len(kept.seen) < 2:
            return 0.0
        (s1, _), (s2, _) = kept.seen
        return math.log(s1 / self._noise) / math.log(s2 / s1) if 0 < self._noise < s1 < s2 else 0.0

    def _foreseen(self, row: Row) -> float:
        """By how much the latent may be off, for each unit of gain, for not running this row: the
        row goes on changing as it last did, and none of that is foreseen."""
        kept = self._kept[row]
        off = kept.trust * self._distance(kept) * kept.change
        return self._share * off * SPACES[self.effort.space](self._noise)

    def _must_run(self, row: Row, gain: float, count: int) -> bool:
        kept, effort = self._kept[row], self.effort
        if effort.exact or self._alarm or len(kept.seen) < effort.warm_up:
            return True
        if kept.age >= effort.oldest or abs(gain - kept.gain) > 0.2 * kept.gain:
            return True
        passed = len(self.steps) - self._begun + 1
        if effort.budget and kept.runs + 1 > effort.warm_up + effort.budget * passed:
            return False
        if effort.every:
            return kept.age + 1 >= effort.every
        # Errors of several rows have little to do with each other: they add up as squares.
        return kept.ledger + self._pending[row] > self._allowed / math.sqrt(count)

    @property
    def _allowed(self) -> float:
        """The error that may be spent now, in units of the latent."""
        return self.tolerance * (self._pushed + self._share * self._push)

    def _learn(self, fresh: Mapping[Row, Latent], plan: GuidancePlan, found: list[float]) -> None:
        size, self._push = found[-2:]
        self._pushed += self._share * self._push
        gains, spent, audited, at = _gains(plan), 0.0, 0.0, 0
        surprised = False
        for row, kept in self._kept.items():
            foreseen = self._pending[row]
            if row not in fresh:
                kept.ledger += foreseen
                kept.age += 1
                spent += foreseen
                continue
            missed, change = found[at : at + 2]
            at += 2
            error = gains[row] * self._share * missed
            audited += error
            if foreseen > 0:
                kept.trust = min(5.0, max(1.0, 0.5 * kept.trust * (1 + error / foreseen)))
            if self.tolerance and len(kept.seen) > 1 and kept.age:
                surprised |= error > SURPRISE * self._allowed
            kept.change, kept.ledger, kept.age, kept.gain = change, 0.0, 0, gains[row]
            kept.runs += 1
        if surprised:
            self._alarm = 2
        self._note(fresh, spent / size if size else 0.0, audited / size if size else 0.0)

    def _note(self, fresh: Mapping[Row, Latent], spent: float, audited: float) -> None:
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
    for row in plan.rows:  # that cancels in the sum, but is there to be discounted
        gains.setdefault(row, plan.strongest)
    return gains


def _size(x: Latent) -> Tensor:
    """Root mean square of an image, in the mean of the batch."""
    return x.float().flatten(1).square().mean(1).sqrt().mean()
