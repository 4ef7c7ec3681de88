"""State of one sampling run, and where in it a noise level lies."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from torch import Tensor

from ...mm_core.guidance.corrections import Memory
from ...mm_core.guidance.planner import Planner
from ...mm_core.guidance.program import Program
from ...mm_core.guidance.trace import Trace
from ...mm_core.types import Moment
from .caches import Kept
from .events import Teller

Ranges = Mapping[str, Sequence[tuple[float, float]]]


@dataclass
class Run:
    """One for each call of sample. levels: the noise levels of the schedule, falling.

    at_once: the most rows that fitted into memory in one call, once it ran out. said: a sentence on
    the speed, where it is not the one that was asked for.
    """

    program: Program
    planner: Planner
    levels: tuple[float, ...] = ()
    memory: Memory = field(default_factory=Memory)
    trace: Trace = field(default_factory=Trace)
    teller: Teller = field(default_factory=Teller)
    at_once: int | None = None
    said: str = ""
    kept: Kept = field(default_factory=Kept)
    clock: "Clock | None" = None
    progress: dict[float, float] = field(default_factory=dict)

    def forget(self) -> None:
        """Lets go of latents: the host keeps guiders. What was counted stays."""
        self.planner.forget()
        self.trace.forget()
        self.memory = Memory()
        self.kept.forget()


@dataclass(frozen=True)
class Clock:
    """What the host's noise levels mean. flow: the signal is scaled by 1 - sigma.

    to_sigma: a share of sampling to its noise level. ranges: for each modality that is not active
    at all times, the shares from and to which each of its entries is.
    """

    to_sigma: Callable[[float], float]
    flow: bool
    ranges: Ranges = field(default_factory=dict)

    def moment(self, now: Tensor, run: Run) -> Moment:
        """now: the noise level as the host has it, on the CPU. Each is searched for once a run."""
        sigma = float(now)
        if sigma not in run.progress:
            run.progress[sigma] = self._progress(sigma)
        reached = partial(self.reached, now)
        return Moment(run.progress[sigma], self.noise(sigma), reached)

    def reached(self, now: Tensor, share: float) -> bool:
        """The host's own comparison, in the precision of its noise levels."""
        return not bool(now > self.to_sigma(share))

    def left(self, now: Tensor, share: float) -> bool:
        """Likewise for the end of a range, which still belongs to it."""
        return bool(now < self.to_sigma(share))

    def following(self, sigma: float, run: Run) -> float:
        """The noise, next to the signal, at the next level of the schedule below this one."""
        after = next((level for level in run.levels if level < sigma * (1 - 1e-6)), 0.0)
        return self.noise(after)

    def noise(self, sigma: float) -> float:
        """Next to the signal: sigma / (1 - sigma) of a flow, else sigma itself."""
        if not self.flow:
            return sigma
        return sigma / (1 - sigma) if sigma < 1 else math.inf

    def hidden(self, now: Tensor) -> list[str]:
        """Modalities without an entry that the host deems active: it would predict zeros."""
        return [
            name
            for name, parts in self.ranges.items()
            if not any(self.reached(now, start) and not self.left(now, end) for start, end in parts)
        ]

    def _progress(self, sigma: float) -> float:
        low, high = 0.0, 1.0
        for _ in range(22):  # to a quarter of a millionth
            middle = (low + high) / 2
            if self.to_sigma(middle) > sigma:
                low = middle
            else:
                high = middle
        return high if high < 1 else 1 - 1e-6
