"""Per-sample reductions. Nothing here may mix the samples of a batch."""

from .types import Float, Latent, Tensor


def sample_dot(a: Latent, b: Latent) -> Float[Tensor, " b *one"]:
    """One inner product per sample, summed in float32, shaped to broadcast against a."""
    return (a.float() * b.float()).sum(dim=tuple(range(1, a.ndim)), keepdim=True)


def sample_norm(a: Latent) -> Float[Tensor, " b *one"]:
    """One Euclidean norm per sample, shaped to broadcast against a."""
    return sample_dot(a, a).sqrt()
