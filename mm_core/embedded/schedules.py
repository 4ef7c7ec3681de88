"""Noise levels of a rectified flow, as ComfyUI's schedulers of the same names give them."""

from collections.abc import Callable

import torch

from ..errors import InputError
from ..types import Float, Tensor

SIGMA_MIN, SIGMA_MAX = 0.001, 1.0  # of a flow with 1000 time steps
RHO = 7.0
WHOLE = 0.9999  # denoise above which ComfyUI's KSampler takes it for 1
MOST = 100_000  # steps of the longer run: 1000 at the least denoise of KSampler's widget, 0.01


def karras(steps: int) -> Float[Tensor, " steps_1"]:
    """Equal steps in sigma ** (1 / 7), then 0. Source: Karras et al. 2022, Eq. 5."""
    ramp = torch.linspace(0, 1, steps)
    high, low = SIGMA_MAX ** (1 / RHO), SIGMA_MIN ** (1 / RHO)
    return _ended((high + ramp * (low - high)) ** RHO)


def normal(steps: int) -> Float[Tensor, " steps_1"]:
    """Equal steps in time, which for a flow is sigma itself, then 0."""
    return _ended(torch.linspace(SIGMA_MAX * 1000, SIGMA_MIN * 1000, steps) / 1000)


SCHEDULES: dict[str, Callable[[int], Tensor]] = {"normal": normal, "karras": karras}


def sigmas(schedule: str, steps: int, denoise: float = 1.0) -> Float[Tensor, " steps_1"]:
    """steps + 1 noise levels from 1 down to 0.

    denoise: below 1 the last ones of so many steps that they are about this share of all. They
    start below 1, at a noisy picture.
    """
    if schedule not in SCHEDULES:
        raise InputError(f"there is no schedule {schedule!r}; choose from {list(SCHEDULES)}")
    if not 1 <= steps <= 1000:
        raise InputError(f"steps is {steps}; it must be between 1 and 1000")
    if not 0 < denoise <= 1:
        raise InputError(f"denoise is {denoise}; it must be above 0 and at most 1")
    if denoise > WHOLE:
        return SCHEDULES[schedule](steps)
    if steps / denoise >= MOST + 1:
        raise InputError(
            f"denoise is {denoise:g}, so that {steps} steps would be the last of "
            f"{steps / denoise:g}; needed at most {MOST}: set denoise to {steps / MOST:g} or more"
        )
    return SCHEDULES[schedule](int(steps / denoise))[-(steps + 1) :]


def _ended(levels: Tensor) -> Tensor:
    return torch.cat([levels, levels.new_zeros(1)])
