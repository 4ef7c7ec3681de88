"""The ways to guide that are compared, as one kind of thing: asked for one prediction at a time."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ...guidance.algebra import combine
from ...guidance.planner import EXACT, Effort, Planner
from ...guidance.program import Program
from ...guidance.schedule import Schedule
from ...guidance.speed import at_speed
from ...types import Latent, Moment
from .baselines import AdaptiveGuidance, Predict, ResidualCache

BAND = Schedule("band", low=0.2, high=5.0)
"""Where guidance matters most. Source of the idea: Kynkaanniemi et al. 2024, arXiv 2404.07724."""

Guide = Callable[[Latent, Moment, float, Predict], Latent]
"""(noisy latent, moment, ratio of noise to signal at the next step, predict) -> guided prediction.
It has the state of one run."""


class Planned:
    """A program run by our planner."""

    def __init__(self, program: Program, effort: Effort = EXACT):
        self.program, self.planner = program, Planner(effort)

    def __call__(self, x: Latent, at: Moment, following: float, predict: Predict) -> Latent:
        plan = self.program.plan_at(at)
        rows = self.planner.choose(plan, at.noise, following)
        return combine(self.planner.complete(predict(rows), plan), plan)


@dataclass(frozen=True)
class Method:
    """start: from the leave_one_out program, and the space that the network predicts in, a guide
    for one run. own: the method whose result this one saves rows of."""

    name: str
    start: Callable[[Program, str], Guide]
    own: str = "exact"


def _composed(name: str) -> Callable[[Program, str], Guide]:
    return lambda program, space: Planned(replace(program, composition=name))


def _at_speed(name: str) -> Callable[[Program, str], Guide]:
    return lambda program, space: Planned(*at_speed(program, name))


def in_band(program: Program, band: Schedule | None = BAND) -> Program:
    """The program, guided in the band only; None is everywhere."""
    return replace(program, modalities=tuple(replace(m, schedule=band) for m in program.modalities))


METHODS = (
    Method("exact", _at_speed("exact")),
    Method("balanced", _at_speed("balanced")),
    Method("fast", _at_speed("fast"), own="weighted_negative"),
    Method("draft", _at_speed("draft"), own="draft"),
    Method("weighted_negative", _composed("weighted_negative"), own="weighted_negative"),
    Method("unguided", lambda program, space: Planned(replace(program, push=0.0)), own="unguided"),
    Method("joint", _composed("joint"), own="joint"),
    Method("independent", _composed("independent"), own="independent"),
    Method("everywhere", lambda program, space: Planned(in_band(program, None)), own="everywhere"),
    Method("interval", lambda program, space: Planned(in_band(program)), own="interval"),
    Method("adaptive", lambda program, space: AdaptiveGuidance(program)),
    Method(
        "residual cache",
        lambda program, space: ResidualCache(replace(program, composition="joint"), space),
        own="joint",
    ),
)

MEANING = {
    "exact": "one row for each input and one with all: leave-one-out, nothing saved",
    "balanced": "`exact` with rows kept by the planner",
    "fast": "`weighted_negative` with its row kept by the planner",
    "draft": "one row, weights as strengths",
    "weighted_negative": "one mixed row for all inputs at every step",
    "unguided": "one row: every weight 1",
    "joint": "plain classifier-free guidance: two rows, one weight",
    "independent": "composable diffusion: a row for each input alone",
    "everywhere": "`exact` at every noise level: the naive N + 1 rows",
    "interval": "`exact` between noise to signal 0.2 and 5 only (arXiv 2404.07724)",
    "adaptive": "`exact` until both sides agree, cosine 0.991, then one row (arXiv 2312.12487)",
    "residual cache": "`joint` with the residual kept in two bands, every fifth step fresh "
    "(FasterCache, arXiv 2410.19355)",
}
