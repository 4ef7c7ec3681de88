"""Reductions per sample, which may not mix the samples of a batch; bounds of learned numbers."""

from typing import Any

import torch

from .types import Float, Latent, Tensor


def sample_dot(a: Latent, b: Latent) -> Float[Tensor, " b *one"]:
    """One inner product per sample, in float32 or wider, shaped to broadcast against a."""
    return (_wide(a) * _wide(b)).sum(dim=tuple(range(1, a.ndim)), keepdim=True)


def sample_norm(a: Latent) -> Float[Tensor, " b *one"]:
    """One Euclidean norm per sample, shaped to broadcast against a."""
    return sample_dot(a, a).sqrt()


def sample_std(a: Latent) -> Float[Tensor, " b *one"]:
    """One standard deviation per sample (n - 1 in the denominator), shaped to broadcast."""
    return _wide(a).flatten(1).std(1).view(-1, *[1] * (a.ndim - 1))


def at_least(x: Tensor, low: float) -> Tensor:
    """x, or low where that is more, with gradients for a learned x that may start at low.

    clamp has a gradient of 1 at the bound in some releases of torch and of 0 in others, and none
    beyond it, where a parameter that a step has brought there would stay. Here the gradient is 1
    at the bound, and beyond it wherever descent leads back.
    """
    out: Tensor = _AtLeast.apply(x, low)
    return out


def at_most(x: Tensor, high: float) -> Tensor:
    """x, or high where that is less, with the gradients of at_least."""
    return -at_least(-x, -high)


class _AtLeast(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, low: float) -> Tensor:
        ctx.save_for_backward(x >= low)
        return x.clamp(min=low)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (inside,) = ctx.saved_tensors
        (grad,) = grads
        return grad * (inside | (grad < 0)), None


def _wide(a: Tensor) -> Tensor:
    """Half precision is too coarse, and too short, to sum in."""
    return a if a.dtype == torch.float64 else a.float()
