"""Guidance gains: one number, or one for each image of a batch and each place.

A gain that is no number is a float32 tensor (b or 1, h or 1, w or 1) on the CPU: whether it is zero
is asked at every step, and must not make a GPU wait.
"""

import math

from ..errors import InputError
from ..types import Latent, Tensor

Gain = float | Tensor
NEGLIGIBLE = 1e-9


def peak(gain: Gain) -> float:
    """The largest absolute value."""
    return float(gain.abs().max()) if isinstance(gain, Tensor) else abs(gain)


def is_nothing(gain: Gain) -> bool:
    """Whether it is 0 everywhere, but for rounding."""
    return peak(gain) <= NEGLIGIBLE


def spread(gain: Gain, latent: Latent) -> Gain:
    """A gain that can multiply a latent (b, c, *space): rows and columns are its last two axes."""
    if not isinstance(gain, Tensor):
        return gain
    between = [1] * (latent.ndim - 3)
    shaped = gain.reshape(gain.shape[0], *between, *gain.shape[1:])
    # To a GPU it travels in the order of other work; waiting for it would hold up every step.
    return shaped.to(latent.device, latent.dtype, non_blocking=latent.is_cuda)


def numbers(text: str, source: str, each: str = "image") -> tuple[float, ...]:
    """Numbers from text such as "4, 2.5, 1", at least one. source, each: named in errors."""
    out = []
    for word in text.replace(",", " ").replace(";", " ").split():
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise InputError(
                f"{source}: {word!r} is no number; give one for each {each}, such as 4, 2.5, 1"
            )
        out.append(value)
    if not out:
        raise InputError(
            f"{source}: there is no number; give one for each {each}, such as 4, 2.5, 1"
        )
    return tuple(out)
