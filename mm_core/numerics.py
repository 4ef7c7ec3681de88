"""Per-sample reductions. Nothing here may mix the samples of a batch."""

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


def _wide(a: Tensor) -> Tensor:
    """Half precision is too coarse, and too short, to sum in."""
    return a if a.dtype == torch.float64 else a.float()
