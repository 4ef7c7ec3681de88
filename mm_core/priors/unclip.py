"""The noise schedule and the steps of a diffusion prior that predicts its clean embedding.

x_t = sqrt(ab_t) x_0 + sqrt(1 - ab_t) noise, ab_t falling from 1 to 0. docs/equations.md numbers
the steps. Source of the ancestral step: Ho et al. 2020 (DDPM), arXiv 2006.11239, equation 7; of its
details, the scheduler that Karlo and Kandinsky were published with.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch

from ..types import Float, Tensor
from .prior import Tick, no_tick

TOTAL = 1000
Predict = Callable[[Tensor, int], Tensor]
"""(noisy embeddings, timestep) -> clean embeddings."""
Draw = Callable[[], Tensor]
"""Standard normal noise for all embeddings; called once for the start, then once a step."""


@dataclass(frozen=True)
class Table:
    """betas: variance that each of the steps adds."""

    betas: Float[Tensor, " t"]

    @cached_property
    def kept(self) -> Float[Tensor, " t"]:
        """ab: the share of the signal's variance that is left after each step."""
        return torch.cumprod(1 - self.betas, 0)


def cosine_table(total: int = TOTAL, precision: torch.dtype = torch.float32) -> Table:
    """Source: Nichol and Dhariwal 2021, arXiv 2102.09672, equation 17; betas of at most 0.999.

    precision: float32 is Karlo's and Kandinsky's.
    """

    def kept(u: float) -> float:
        return math.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2

    betas = [min(1 - kept((i + 1) / total) / kept(i / total), 0.999) for i in range(total)]
    return Table(torch.tensor(betas, dtype=precision))


def timesteps(count: int, total: int = TOTAL) -> list[int]:
    """count steps from total - 1 down to 0, evenly spaced; halves go to the even number."""
    return [round(i * ((total - 1) / (count - 1))) for i in reversed(range(count))]


def ancestral_step(
    table: Table, x: Tensor, x0: Tensor, t: int, before: int, noise: Tensor | None
) -> Tensor:
    """x at step t to x at step `before`, -1 being the end. noise: None where none is added.

    At the end the step's own beta is divided by 1 - ab_0. The two are the same number, but not in
    float32: x0 comes out 0.05 % shorter, as it did in training.
    """
    kept = table.kept[t]
    kept_before = table.kept[before] if before >= 0 else torch.tensor(1.0)
    beta = table.betas[t] if before == t - 1 else 1 - kept / kept_before
    mean = kept_before**0.5 * beta / (1 - kept) * x0
    mean = mean + (1 - beta) ** 0.5 * (1 - kept_before) / (1 - kept) * x
    if noise is None:
        return mean
    variance = (1 - kept_before) / (1 - kept) * beta
    return mean + torch.exp(0.5 * torch.log(variance.clamp(min=1e-20))) * noise


def ddim_step(table: Table, x: Tensor, x0: Tensor, t: int, before: int) -> Tensor:
    """The same without noise. Source: Song et al. 2020 (DDIM), arXiv 2010.02502, equation 12."""
    kept = table.kept[t]
    kept_before = table.kept[before] if before >= 0 else torch.tensor(1.0)
    noise = (x - kept**0.5 * x0) / (1 - kept) ** 0.5
    return kept_before**0.5 * x0 + (1 - kept_before) ** 0.5 * noise


def solve_mean(
    predict: Predict, draw: Draw, table: Table, limit: float = math.inf, tick: Tick = no_tick
) -> Tensor:
    """The conditional mean of clean embeddings, in one step.

    At the last timestep nothing is left of the signal, so the best prediction in the mean square,
    which is what predict was trained to, is the mean. Nearest to all embeddings, and none of them.
    """
    x0 = predict(draw(), len(table.betas) - 1).clamp(-limit, limit)
    tick(1, 1)
    return x0


def solve(
    predict: Predict,
    draw: Draw,
    table: Table,
    steps: int,
    solver: str = "ancestral",
    limit: float = math.inf,
    tick: Tick = no_tick,
) -> Tensor:
    """Clean embeddings from noise. limit: of every number that predict gives."""
    if solver == "mean":
        return solve_mean(predict, draw, table, limit, tick)
    x = draw()
    times = timesteps(steps, len(table.betas))
    for done, (t, before) in enumerate(zip(times, [*times[1:], -1], strict=True), 1):
        x0 = predict(x, t).clamp(-limit, limit)
        if solver == "ddim":
            x = ddim_step(table, x, x0, t, before)
        else:
            x = ancestral_step(table, x, x0, t, before, draw() if t > 0 else None)
        tick(done, len(times))
    return x
