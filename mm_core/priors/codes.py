"""An image embedding as a short sequence of whole numbers, and back."""

from dataclasses import dataclass

import torch

from ..errors import InputError
from ..types import Float, Int, Tensor

REACH = 4.0  # standard deviations of a component that the buckets cover, to either side


@dataclass(frozen=True)
class Codes:
    """Principal components, each cut into equal buckets; the last ones take what lies beyond.

    mean (d) and basis (d, k), its columns orthonormal and ordered by falling variance; reach (k):
    half of the range that the buckets of each cover.
    Source: Ramesh et al. 2022 (DALL-E 2), arXiv 2204.06125, section 2.2: 319 of 1024 components,
    1024 buckets.
    """

    mean: Float[Tensor, " d"]
    basis: Float[Tensor, "d k"]
    reach: Float[Tensor, " k"]
    buckets: int

    def encode(self, vectors: Float[Tensor, "b d"]) -> Int[Tensor, "b k"]:
        """The bucket of each component."""
        along = (vectors.float() - self.mean) @ self.basis
        place = (along / self.reach + 1) / 2 * self.buckets
        return place.floor().long().clamp(0, self.buckets - 1)

    def decode(self, codes: Int[Tensor, "b k"]) -> Float[Tensor, "b d"]:
        """The middle of each bucket."""
        along = ((codes + 0.5) / self.buckets * 2 - 1) * self.reach
        return self.mean + along @ self.basis.T


def principal(vectors: Float[Tensor, "n d"], count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (d), the `count` directions of most variance (d, k), and the variances (k)."""
    width = vectors.shape[1]
    if not 1 <= count <= width:
        raise InputError(f"{count} components of embeddings {width} wide; needed 1 to {width}")
    if len(vectors) < 2:
        raise InputError(f"{len(vectors)} embeddings have no components; needed 2 or more")
    wide = vectors.double()
    mean = wide.mean(0)
    off = wide - mean
    variance, directions = torch.linalg.eigh(off.T @ off / len(off))
    basis = directions.flip(1)[:, :count]
    # A direction and its opposite are one component; this choice does not change with the machine.
    basis = basis * basis.gather(0, basis.abs().argmax(0, keepdim=True)).sign()
    return mean.float(), basis.float(), variance.flip(0)[:count].clamp(min=0).float()


def fit_codes(vectors: Float[Tensor, "n d"], count: int, buckets: int = 1024) -> Codes:
    """Codes for embeddings like these."""
    mean, basis, variance = principal(vectors, count)
    return Codes(mean, basis, REACH * variance.sqrt().clamp(min=1e-6), buckets)


def dot_buckets(
    dots: Float[Tensor, " b"], low: float, high: float, buckets: int
) -> Int[Tensor, " b"]:
    """Inner products as numbers of equal buckets between low and high."""
    place = (dots - low) / max(high - low, 1e-12) * buckets
    return place.floor().long().clamp(0, buckets - 1)
