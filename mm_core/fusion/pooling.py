"""Several inputs as one vector."""

import torch

from ..types import Bool, Float, ModalityEmbedding, Tensor
from .inputs import Parts


def mean_token(part: ModalityEmbedding) -> Float[Tensor, "b d"]:
    """The mean of the real tokens; 0 where there are none. Padding must be 0 already."""
    count = part.mask.sum(1, keepdim=True).clamp(min=1)
    return part.tokens.sum(1) / count


def mean_of_inputs(parts: Parts) -> tuple[Float[Tensor, "b d"], Bool[Tensor, " b"]]:
    """The mean over inputs of each one's mean token, however many it has, and whether a sample has
    any input at all."""
    means = torch.stack([mean_token(p) for p in parts.values()])
    there = torch.stack([p.mask.any(1) for p in parts.values()])
    return means.sum(0) / there.sum(0).clamp(min=1)[:, None], there.any(0)
