"""Small draws from a private generator."""

import torch

from ...types import Float, Int, Tensor


def uniform(rng: torch.Generator, n: int, low: float, high: float) -> Float[Tensor, " n"]:
    """n numbers in [low, high)."""
    return torch.rand(n, generator=rng) * (high - low) + low


def integers(rng: torch.Generator, n: int, count: int) -> Int[Tensor, " n"]:
    """n integers in 0..count-1."""
    return torch.randint(0, count, (n,), generator=rng)
