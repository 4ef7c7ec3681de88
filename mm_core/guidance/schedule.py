"""How much of a weight's push acts at each moment of sampling.

A schedule's value multiplies how far the weight is from 1: 0 is no push there, 1 all of it. The
modality itself is seen all the while; a `Window` is what hides it.
"""

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import PlanError
from ..types import Moment, Window

FROM_TO = ("window", "linear", "cosine")
KINDS = ("constant", "window", "linear", "cosine", "bell", "band", "points")


@dataclass(frozen=True)
class Schedule:
    """A curve over sampling.

    kind:
        constant    1 everywhere.
        window      1 from start to end, 0 outside.
        linear      from `first` at start to `last` at end, level before and after.
        cosine      the same along half a cosine.
        bell        exp(-log(n / center)^2 / (2 width^2)), n the ratio of noise to signal: centred
                    on one noise level, whatever the number of steps.
        band        1 while the ratio of noise to signal is above `low` and not above `high`.
        points      straight lines through (progress, value) pairs, level before and after.
    start, end: progress, 0 to 1. center, low, high: noise to signal, above 0. width: in
    natural logarithms.
    """

    kind: str = "constant"
    start: float = 0.0
    end: float = 1.0
    first: float = 0.0
    last: float = 1.0
    center: float = 1.0
    width: float = 1.2
    low: float = 0.2
    high: float = 5.0
    points: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise PlanError(f"there is no schedule {self.kind!r}; choose from {list(KINDS)}")
        if self.kind in FROM_TO and not 0 <= self.start <= self.end <= 1:
            raise PlanError(
                f"a schedule runs from {self.start:g} to {self.end:g}; both ends must lie in 0..1 "
                "with the start first"
            )
        if not (self.center > 0 and self.width > 0):
            raise PlanError(
                f"a bell's center is {self.center:g} and its width {self.width:g}; both must be "
                "above 0"
            )
        numbers = [self.first, self.last, self.center, self.width, *sum(self.points, ())]
        if not all(map(math.isfinite, numbers)):
            raise PlanError(f"a schedule needs finite numbers; found {numbers}")
        if self.kind == "band" and not 0 <= self.low < self.high:
            raise PlanError(
                f"a band lies above {self.low:g} and not above {self.high:g} times the signal; its "
                "low must be 0 or more and below its high"
            )
        if self.kind == "points":
            _check_points(self.points)

    def __call__(self, moment: Moment) -> float:
        return _CURVES[self.kind](self, moment)

    @property
    def edges(self) -> tuple[float, ...]:
        """The progress at which the curve may begin or cease to be 0."""
        if self.kind == "points":
            return tuple(x for x, _ in self.points)
        return () if self.kind in ("constant", "bell", "band") else (self.start, self.end)


def _check_points(points: tuple[tuple[float, float], ...]) -> None:
    at = [x for x, _ in points]
    if not at or at != sorted(set(at)) or not 0 <= at[0] <= at[-1] <= 1:
        raise PlanError(
            f"a schedule's points lie at {at}; needed at least one, each further than the one "
            "before, between 0 and 1"
        )


def _window(s: Schedule, m: Moment) -> float:
    return float(Window(s.start, s.end).open_at(m))


def _ramp(s: Schedule, m: Moment) -> float:
    """0 up to start, 1 from end on."""
    if s.start == s.end:
        return float(m.reached(s.end))
    return min(1.0, max(0.0, (m.progress - s.start) / (s.end - s.start)))


def _linear(s: Schedule, m: Moment) -> float:
    return s.first + (s.last - s.first) * _ramp(s, m)


def _cosine(s: Schedule, m: Moment) -> float:
    return s.first + (s.last - s.first) * (1 - math.cos(math.pi * _ramp(s, m))) / 2


def _bell(s: Schedule, m: Moment) -> float:
    if not 0 < m.noise < math.inf:
        return 0.0
    return math.exp(-(math.log(m.noise / s.center) ** 2) / (2 * s.width**2))


def _band(s: Schedule, m: Moment) -> float:
    return float(m.noisier(s.low) and not m.noisier(s.high))


def _points(s: Schedule, m: Moment) -> float:
    at = [x for x, _ in s.points]
    k = bisect_right(at, m.progress)
    if k == 0 or k == len(at):
        return s.points[max(0, k - 1)][1]
    (x0, y0), (x1, y1) = s.points[k - 1], s.points[k]
    return y0 + (y1 - y0) * (m.progress - x0) / (x1 - x0)


_CURVES: dict[str, Callable[[Schedule, Moment], float]] = {
    "constant": lambda s, m: 1.0,
    "window": _window,
    "linear": _linear,
    "cosine": _cosine,
    "bell": _bell,
    "band": _band,
    "points": _points,
}
