"""Samplers: denoiser and noise levels in, latent out. A sampler is one function.

model(x, sigma) gives the denoised latent (x0); sigma is a float. Each is the deterministic
algorithm of the paper it names, and agrees with ComfyUI's sampler of the same name.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Protocol, runtime_checkable

from ..errors import InputError
from ..types import Float, Latent, Tensor

Model = Callable[[Latent, float], Latent]
Step = Callable[[int], None]


@runtime_checkable
class Sampler(Protocol):
    """on_step(i) is called after step i, 0-based; it may raise to cancel."""

    def __call__(
        self, model: Model, x: Latent, sigmas: Float[Tensor, " n"], on_step: Step = ...
    ) -> Latent: ...


def _ignore(step: int) -> None:
    pass


def euler(model: Model, x: Latent, sigmas: Tensor, on_step: Step = _ignore) -> Latent:
    """First order. Source: Karras et al. 2022, arXiv 2206.00364, Algorithm 1 without churn."""
    levels = sigmas.tolist()
    for i, (high, low) in enumerate(pairwise(levels)):
        x = x + (x - model(x, high)) / high * (low - high)
        on_step(i)
    return x


def heun(model: Model, x: Latent, sigmas: Tensor, on_step: Step = _ignore) -> Latent:
    """Second order, two evaluations a step. Source: Karras et al. 2022, Algorithm 1."""
    levels = sigmas.tolist()
    for i, (high, low) in enumerate(pairwise(levels)):
        slope = (x - model(x, high)) / high
        guess = x + slope * (low - high)
        if low > 0:
            slope = (slope + (guess - model(guess, low)) / low) / 2
            guess = x + slope * (low - high)
        x = guess
        on_step(i)
    return x


def dpmpp_2m(model: Model, x: Latent, sigmas: Tensor, on_step: Step = _ignore) -> Latent:
    """Second order, one evaluation a step, from the last two predictions.

    Source: Lu et al. 2022 (DPM-Solver++), arXiv 2211.01095, Algorithm 2, in -log(sigma).
    """
    levels = sigmas.tolist()
    last: Latent | None = None
    for i, (high, low) in enumerate(pairwise(levels)):
        denoised = model(x, high)
        if low == 0:
            x = denoised
        else:
            step = math.log(high / low)
            target = denoised
            if last is not None:
                ratio = math.log(levels[i - 1] / high) / step
                target = (1 + 1 / (2 * ratio)) * denoised - 1 / (2 * ratio) * last
            x = (low / high) * x - math.expm1(-step) * target
        last = denoised
        on_step(i)
    return x


SAMPLERS: dict[str, Sampler] = {"euler": euler, "heun": heun, "dpmpp_2m": dpmpp_2m}


def sampler_named(name: str) -> Sampler:
    """The sampler, or InputError that lists the names."""
    if name not in SAMPLERS:
        raise InputError(f"there is no sampler {name!r}; choose from {list(SAMPLERS)}")
    return SAMPLERS[name]
