"""Published ways to save guidance, written from their descriptions, to compare with.

Each is asked for one guided prediction after another, like the planner's own runs, and says by
`predict` which rows it needs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from ...guidance.algebra import combine, effective_pair
from ...guidance.plan import GuidancePlan
from ...guidance.planner import SPACES
from ...guidance.program import Program
from ...numerics import sample_dot, sample_norm
from ...types import Latent, Moment, Row, Tensor

Predict = Callable[[Sequence[Row]], dict[Row, Latent]]
EVERY, LOW_BAND, HIGH_BAND, CACHED_BELOW = 5, (99, 901), 301, 641
BOOST = 1.1


@dataclass
class AdaptiveGuidance:
    """Every row, until the two sides of guidance point the same way; from then on one row.

    The sides are the effective pair, which for joint guidance is cond and uncond, as what the
    network predicts (x minus the denoised latent, but for a factor), in the mean of the batch.
    Source: Castillo et al. 2023, arXiv 2312.12487, section 4.
    """

    program: Program
    threshold: float = 0.991
    done: bool = False

    def __call__(self, x: Latent, at: Moment, following: float, predict: Predict) -> Latent:
        plan = self.program.plan_at(at)
        if self.done or len(plan.rows) == 1:
            return predict([plan.fullest])[plan.fullest]
        predictions = predict(plan.rows)
        result = combine(predictions, plan)
        cond, uncond, _ = effective_pair(predictions, plan, result)
        self.done = likeness(x - cond, x - uncond) > self.threshold
        return result


def likeness(a: Tensor, b: Tensor) -> float:
    """Cosine of two predictions, in the mean of the batch."""
    product = (sample_norm(a) * sample_norm(b)).clamp(min=1e-12)
    return float((sample_dot(a, b) / product).mean())


@dataclass
class ResidualCache:
    """Joint guidance whose uncond is made from cond and a kept residual, in two bands of frequency.

    The residual is taken from both rows at every fifth evaluation, and at all of them before the
    time falls below 641 of 1000. Its low band counts 1.1 times between times 99 and 901, its high
    band below 301. Source: Lyu et al. 2024 (FasterCache), arXiv 2410.19355, section 3.3.
    """

    program: Program
    space: str = "velocity"
    bands: tuple[Tensor, Tensor] | None = None
    age: int = field(default=0)

    def __call__(self, x: Latent, at: Moment, following: float, predict: Predict) -> Latent:
        plan = self.program.plan_at(at)
        if len(plan.rows) == 1:
            return predict(plan.rows)[plan.rows[0]]
        noise = min(at.noise, 1e6)
        time, scale = 1000 * noise / (1 + noise), SPACES[self.space](noise)
        cond, uncond = _sides(plan)
        if self.bands is None or time >= CACHED_BELOW or self.age + 1 >= EVERY:
            predictions = predict([cond, uncond])
            self.bands = split((predictions[uncond] - predictions[cond]) / scale)
            self.age = 0
            return combine(predictions, plan)
        self.age += 1
        low, high = self.bands
        low_gain = BOOST if LOW_BAND[0] < time < LOW_BAND[1] else 1.0
        high_gain = BOOST if time < HIGH_BAND else 1.0
        anchor = predict([cond])[cond]
        residual = scale * (low_gain * low + high_gain * high)
        return combine({cond: anchor, uncond: anchor + residual}, plan)


def split(x: Tensor) -> tuple[Tensor, Tensor]:
    """What of x (b, *, h, w) varies slowly, within a fifth of the spectrum, and the rest."""
    spectrum = torch.fft.fft2(x)
    rows, columns = x.shape[-2:]
    down = torch.fft.fftfreq(rows, 1 / rows, device=x.device)[:, None]
    across = torch.fft.fftfreq(columns, 1 / columns, device=x.device)[None]
    slow = (down**2 + across**2).sqrt() <= min(rows, columns) / 5
    low = torch.fft.ifft2(spectrum * slow).real
    return low, x - low


def _sides(plan: GuidancePlan) -> tuple[Row, Row]:
    cond = plan.fullest
    return cond, next(row for row in plan.rows if row != cond)
