"""What keeps a strong push from overshooting. Each looks at one image at a time.

D is the guided denoised latent, C the row that sees most, U = D - C the total push.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..errors import PlanError
from ..numerics import sample_dot, sample_norm, sample_std
from ..types import Latent, Row, Tensor
from .algebra import combine, effective_pair, only, together
from .plan import GuidancePlan

TINY = 1e-9
MOSTLY_NOISE = 10.0  # noise to signal; below it, a step given up is noise that stays


@dataclass(frozen=True)
class Correction:
    """Which correction, and its numbers; defaults are those of the papers.

    amount: of rescale, 0 none to 1 all.
    momentum, limit, parallel: of apg. limit is the largest norm of the push, 0 for none; parallel
    is the share that is kept of what lies along C.
    zero_steps: of zero_star, how many evaluations at the start are given up, where that is noise
    above ten times the signal.
    """

    kind: str = "none"
    amount: float = 0.7
    momentum: float = -0.5
    limit: float = 15.0
    parallel: float = 0.0
    zero_steps: int = 1

    def __post_init__(self) -> None:
        if self.kind not in CORRECTIONS:
            raise PlanError(
                f"there is no correction {self.kind!r}; choose from {list(CORRECTIONS)}"
            )


@dataclass
class Memory:
    """What a correction remembers within one run. A new run needs a new one.

    push: the running mean of apg. evaluations: how many there were. noise: the last one's. parts:
    of images that have plans of their own, each what it would be alone.
    """

    push: Tensor | None = None
    evaluations: int = 0
    noise: float = field(default=float("inf"))
    parts: "dict[tuple[int, ...], Memory]" = field(default_factory=dict)

    def begin(self, noise: float) -> None:
        """Forgets the running mean where the noise rises: another pass has begun."""
        if noise > self.noise:
            self.push = None
        self.noise = noise


@dataclass(frozen=True)
class Guided:
    """One evaluation. x is the noisy latent, sigma its noise in the units of x, and uncond the
    effective other side: D = uncond + scale (C - uncond)."""

    result: Latent
    cond: Latent
    uncond: Latent
    scale: float
    x: Latent
    sigma: float


def corrected(
    correction: Correction,
    predictions: Mapping[Row, Latent],
    plan: GuidancePlan,
    memory: Memory,
    x: Latent,
    sigma: float,
    noise: float,
) -> Latent:
    """The sum of a plan, corrected where there is a push: images that have plans of their own each
    as if they were alone. noise: ratio of noise to signal."""
    if plan.parts:
        return together(
            [
                corrected(
                    correction, only(predictions, p), p.plan,
                    memory.parts.setdefault(p.images, Memory()), x[list(p.images)], sigma, noise,
                )
                for p in plan.parts
            ],
            plan,
        )  # fmt: skip
    result = combine(predictions, plan)
    if not plan.terms:
        memory.push = None
    if correction.kind == "none" or not plan.terms:
        return result
    memory.begin(noise)
    guided = Guided(result, *effective_pair(predictions, plan, result), x, sigma)
    return correct(correction, guided, memory)


def correct(correction: Correction, guided: Guided, memory: Memory) -> Latent:
    """The corrected D. Without a correction D itself; call it only where there is a push."""
    out = CORRECTIONS[correction.kind](correction, guided, memory)
    memory.evaluations += 1
    return out


def rescale(result: Latent, cond: Latent, amount: float) -> Latent:
    """D with part of its contrast brought back to that of C.

    Source: Lin et al. 2023, arXiv 2305.08891, Eq. 15 and 16.
    """
    fitted = result * (sample_std(cond) / sample_std(result).clamp(min=TINY)).to(result.dtype)
    return amount * fitted + (1 - amount) * result


def renorm(result: Latent, cond: Latent) -> Latent:
    """D, made no longer than C. Source: the global renormalisation of BAGEL (2025)."""
    ratio = sample_norm(cond) / sample_norm(result).clamp(min=TINY)
    return result * ratio.clamp(max=1).to(result.dtype)


def apg(
    push: Latent, cond: Latent, before: Tensor | None, correction: Correction
) -> tuple[Latent, Tensor]:
    """The push to use, and its running mean to pass on.

    The push is added to the mean of those before it, limited in length, and loses what lies along
    C, which only saturates. Source: Sadat et al. 2024, arXiv 2410.02416, Algorithm 1.
    """
    mean = push if before is None else push + correction.momentum * before
    out = mean
    if correction.limit > 0:
        ratio = correction.limit / sample_norm(mean).clamp(min=TINY)
        out = mean * ratio.clamp(max=1).to(mean.dtype)
    share = sample_dot(out, cond) / sample_dot(cond, cond).clamp(min=TINY)
    along = share.to(out.dtype) * cond
    return out - (1 - correction.parallel) * along, mean


def zero_star(guided: Guided) -> Latent:
    """D with the uncond velocity scaled to fit the cond one best, before the push is taken.

    Source: Fan et al. 2025 (CFG-Zero*), arXiv 2503.18886, Eq. 9, on velocities (x - D) / sigma.
    """
    c, u = guided.x - guided.cond, guided.x - guided.uncond
    share = (sample_dot(c, u) / sample_dot(u, u).clamp(min=TINY)).to(u.dtype)
    return guided.x - (share * u + guided.scale * (c - share * u))


def _none(correction: Correction, guided: Guided, memory: Memory) -> Latent:
    return guided.result


def _rescale(correction: Correction, guided: Guided, memory: Memory) -> Latent:
    return rescale(guided.result, guided.cond, correction.amount)


def _renorm(correction: Correction, guided: Guided, memory: Memory) -> Latent:
    return renorm(guided.result, guided.cond)


def _apg(correction: Correction, guided: Guided, memory: Memory) -> Latent:
    # As published, the difference C - uncond is what is shaped; its gain comes after.
    gain = guided.scale - 1
    push, memory.push = apg(guided.cond - guided.uncond, guided.cond, memory.push, correction)
    return guided.cond + gain * push


def _zero_star(correction: Correction, guided: Guided, memory: Memory) -> Latent:
    if memory.evaluations < correction.zero_steps and memory.noise > MOSTLY_NOISE:
        return guided.x  # a velocity of zero
    return zero_star(guided)


CORRECTIONS: dict[str, Callable[[Correction, Guided, Memory], Latent]] = {
    "none": _none,
    "rescale": _rescale,
    "renorm": _renorm,
    "apg": _apg,
    "zero_star": _zero_star,
}
