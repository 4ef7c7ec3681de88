"""A private stream of random numbers for each image. Nothing here may mix them."""

from collections.abc import Sequence

import torch

from ..types import Float, Int, Tensor

_APART = 0x9E3779B97F4A7C15  # odd, so that multiples of it meet all numbers below 2^64


def candidate_seed(seed: int, candidate: int) -> int:
    """Of the candidate-th attempt at an image. Attempt 0 has the image's own seed; the others are
    far from the seeds of neighbouring images."""
    return (seed + candidate * _APART) % 2**64


class Noise:
    """The same numbers for a seed whatever the other seeds are. Drawn on the CPU."""

    def __init__(self, seeds: Sequence[int]):
        self._rngs = [torch.Generator("cpu").manual_seed(s) for s in seeds]

    def normal(self, width: int) -> Float[Tensor, "b d"]:
        """One standard normal vector for each image."""
        return torch.stack([torch.randn(width, generator=rng) for rng in self._rngs])

    def uniform(self) -> Float[Tensor, " b"]:
        """One number in 0..1 for each image."""
        return torch.stack([torch.rand((), generator=rng) for rng in self._rngs])

    def choose(self, probabilities: Float[Tensor, "b n"]) -> Int[Tensor, " b"]:
        """One index for each image, by its row of probabilities."""
        total = probabilities.double().cpu().cumsum(1)
        wanted = self.uniform().double()[:, None] * total[:, -1:]
        return torch.searchsorted(total, wanted, right=True)[:, 0].clamp(max=total.shape[1] - 1)
