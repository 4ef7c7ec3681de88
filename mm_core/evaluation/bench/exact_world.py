"""The methods in the world where every row is known exactly: no network, no luck."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from ...guidance.program import Program
from ...types import Latent, Modality, Moment, Row, Tensor
from ..analytic import SIDE, World, energy_distance, euler, make_world
from .methods import METHODS, Guide, in_band

WORLDS = {2: (1, (6,)), 3: (2, (6,)), 4: (2, (6, 4)), 6: (3, (6, 4, 5))}
"""By number of inputs: how many labels, and how many numbers each reading gives."""
STEPS, SAMPLES, OBSERVED = 30, 48, (100, 101, 102)
HIGHEST, LOWEST = 40.0, 0.02
WEIGHT = 2.0
COMPARED = tuple(m for m in METHODS if m.name != "interval")  # all but one keep to the band


def levels(steps: int = STEPS) -> Tensor:
    """Falling noise levels, the last 0. Source: Karras et al. 2022, arXiv 2206.00364, Eq. 5."""
    ramp = torch.linspace(0, 1, steps, dtype=torch.float64)
    high, low = HIGHEST ** (1 / 7), LOWEST ** (1 / 7)
    return torch.cat([(high + ramp * (low - high)) ** 7, torch.zeros(1, dtype=torch.float64)])


def sample(world: World, guide: Guide, samples: int = SAMPLES) -> tuple[Tensor, float]:
    """(samples, 64) draws and the rows per step."""
    ran = 0

    def denoise(x: Tensor, noise: float, following: float) -> Tensor:
        def predict(rows: Sequence[Row]) -> dict[Row, Latent]:
            nonlocal ran
            ran += len(rows)
            return {row: _as_latent(world.denoise(flat, noise, row)) for row in rows}

        flat = x
        return guide(_as_latent(x), Moment(0.5, noise), following, predict).flatten(1)

    rng = torch.Generator().manual_seed(5)
    start = HIGHEST * torch.randn(samples, SIDE, generator=rng, dtype=torch.float64)
    found = euler(denoise, start, levels())
    return found, ran / STEPS


def compare(
    on_step: Callable[[], None] = lambda: None,
    counts: Sequence[int] = tuple(WORLDS),
    observed: Sequence[int] = OBSERVED,
) -> list[dict[str, Any]]:
    """For each number of inputs and method: rows per step, error against the method's own exact
    version as a share of the spread, and energy distance to the truth."""
    out = []
    for count in counts:
        sums = {m.name: [0.0, 0.0, 0.0] for m in COMPARED}
        for seen in observed:
            world = make_world(*WORLDS[count], seed=1, observed=seen)
            modalities = tuple(Modality(name, WEIGHT) for name in world.names)
            program = in_band(Program(modalities))
            truth = world.truth(128, seed=9)
            found = {}
            for method in COMPARED:
                found[method.name], rows = sample(world, method.start(program, "eps"))
                sums[method.name][0] += rows / len(observed)
                on_step()
            for method in COMPARED:
                made, own = found[method.name], found[method.own]
                sums[method.name][1] += off(made, own) / len(observed)
                sums[method.name][2] += energy_distance(made, truth) / len(observed)
        out += [
            {"inputs": count, "method": name, "rows": r, "error": e, "distance": d}
            for name, (r, e, d) in sums.items()
        ]
    return out


def off(found: Tensor, wanted: Tensor) -> float:
    """Root mean square difference as a share of the spread."""
    return float((found - wanted).square().mean().sqrt() / wanted.std())


def _as_latent(x: Tensor) -> Latent:
    """The 64 numbers as one channel of 8 x 8, for methods that look at neighbours."""
    return x.view(len(x), 1, 8, 8)
