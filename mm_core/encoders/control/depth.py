"""Depth, as any estimator gives it -> the picture that depth ControlNets were trained on."""

from typing import Literal

import numpy as np
import torch

from ...errors import InputError
from ...types import Bool, Float, Picture, Tensor

Unit = Literal["inverse", "metres"]
How = Literal["min-max", "percentile", "fixed"]

ENDS = {"percentile": (2.0, 98.0), "fixed": (0.5, 20.0)}  # where the caller names none


def depth_map(
    depth: Float[Tensor, "b 1 h w"],
    unit: Unit = "inverse",
    how: How = "min-max",
    low: float | None = None,
    high: float | None = None,
    together: bool = False,
) -> Picture:
    """Grey pictures, linear in inverse depth: near is white (1), far is black (0).

    Args:
        depth: "metres" from the camera, or "inverse" depth of any scale (larger is nearer). What
            is no reading becomes 0, as far as can be: numbers that are not finite, metres of 0 or
            less, inverse depth less than 0.
        how: "min-max" spans the readings. "percentile" spans those between the low and high
            percentile (0 to 100; 2 and 98) and clamps the rest. "fixed" spans low to high metres
            (0.5 and 20) and needs depth in metres: then pictures compare with each other.
        together: one scale for all frames, as a video needs, instead of one each.

    Where all readings are equal they are as near as any, and so white.

    Source: inverse depth normalised for each picture as in Ranftl et al. 2020 (MiDaS), arXiv
    1907.01341, which ControlNet's annotators follow (Zhang et al. 2023, arXiv 2302.05543).
    """
    low, high = _ends(unit, how, low, high)
    depth = depth.float()
    there = torch.isfinite(depth) & ((depth > 0) if unit == "metres" else (depth >= 0))
    inverse = depth.where(there, 1.0)
    if unit == "metres":
        inverse = 1 / inverse.clamp(min=torch.finfo(torch.float32).tiny)
    if how == "fixed":
        far, near = inverse.new_tensor(1 / high), inverse.new_tensor(1 / low)
        return _spread(inverse, there, far, near)
    span = (0.0, 100.0) if how == "min-max" else (low, high)
    groups = [slice(None)] if together else [slice(i, i + 1) for i in range(len(depth))]
    return torch.cat(
        [_spread(inverse[g], there[g], *_span(inverse[g], there[g], span)) for g in groups]
    )


def _ends(unit: Unit, how: How, low: float | None, high: float | None) -> tuple[float, float]:
    """The caller's ends or the usual ones, checked."""
    if unit not in ("inverse", "metres") or how not in ("min-max", "percentile", "fixed"):
        raise InputError(
            f"found depth in {unit!r}, scaled by {how!r}; needed 'inverse' or 'metres', and "
            "'min-max', 'percentile' or 'fixed'"
        )
    if how == "min-max":
        return 0.0, 0.0
    if how == "fixed" and unit != "metres":
        raise InputError(
            "found a fixed scale for inverse depth, which has no unit; needed depth in metres, or "
            "the scale 'min-max' or 'percentile'"
        )
    low = ENDS[how][0] if low is None else low
    high = ENDS[how][1] if high is None else high
    if how == "percentile" and not 0 <= low < high <= 100:
        raise InputError(f"found percentiles {low:g} to {high:g}; needed 0 <= low < high <= 100")
    if how == "fixed" and not 0 < low < high < float("inf"):
        raise InputError(f"found {low:g} to {high:g} metres; needed 0 < low < high")
    return low, high


def _span(
    inverse: Tensor, there: Bool[Tensor, "b 1 h w"], percent: tuple[float, float]
) -> tuple[Tensor, Tensor]:
    """Inverse depth at two percentiles of the readings, between readings by a straight line."""
    values = inverse[there]
    if not len(values):
        return inverse.new_zeros(()), inverse.new_zeros(())
    if percent == (0.0, 100.0):
        return values.min(), values.max()
    # torch.quantile refuses more than 16 million readings, which a short video has.
    low, high = np.percentile(values.cpu().numpy(), percent)
    return inverse.new_tensor(float(low)), inverse.new_tensor(float(high))


def _spread(inverse: Tensor, there: Bool[Tensor, "b 1 h w"], far: Tensor, near: Tensor) -> Picture:
    """far to near as 0 to 1, clamped; 1 where they are one; 0 where nothing is there."""
    wide = near > far
    scaled = ((inverse - far) / torch.where(wide, near - far, 1.0)).clamp(0, 1)
    return scaled.where(wide, 1.0).where(there, 0.0).expand(-1, 3, -1, -1)
