"""How well inputs agree, as cosines in a space that they share."""

from collections.abc import Mapping

import torch

from ..numerics import at_least
from ..types import Bool, Float, Tensor
from .contrastive import Vectors


def agreement(
    vectors: Vectors, there: Mapping[str, Bool[Tensor, " b"]]
) -> dict[str, Float[Tensor, " b"]]:
    """Mean cosine of each input with the others that a sample has.

    vectors: unit vectors. 1 where there is no other, which nothing can disagree with; 0 where the
    input itself is not there.
    """
    names = list(vectors)
    unit = torch.stack([vectors[n] for n in names], 1)  # (b, inputs, d)
    real = torch.stack([there[n] for n in names], 1)
    others = real[:, None] & ~torch.eye(len(names), dtype=torch.bool, device=real.device)
    count = others.sum(2)
    mean = ((unit @ unit.mT) * others).sum(2) / count.clamp(min=1)
    said = torch.where(count > 0, mean, torch.ones_like(mean)) * real
    return dict(zip(names, said.unbind(1), strict=True))


def loudness(
    agreed: Float[Tensor, " b"], strength: Float[Tensor, ""], expected: Float[Tensor, ""]
) -> Float[Tensor, " b"]:
    """exp(-strength (expected - agreed)): 1 from the expected agreement on, less below it.

    strength 0 is 1 everywhere, exactly; less than 0 counts as 0.
    """
    return torch.exp(-at_least(strength, 0.0) * (expected - agreed).relu())
