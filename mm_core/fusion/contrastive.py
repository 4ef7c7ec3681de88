"""The contrastive loss: what belongs together is more alike than what does not."""

import math
from collections.abc import Mapping
from itertools import combinations

import torch
import torch.nn.functional as F

from ..numerics import at_most
from ..types import Bool, Float, Tensor

START = math.log(1 / 0.07)  # of the logarithm of the inverse temperature
MOST = math.log(100.0)

Vectors = Mapping[str, Float[Tensor, "b d"]]


def contrastive(
    a: Float[Tensor, "b d"], b: Float[Tensor, "b d"], log_scale: Float[Tensor, ""]
) -> Float[Tensor, ""]:
    """Mean cross-entropy of finding each a's partner among all b, and each b's among all a.

    Args:
        a, b: unit vectors; row k of one belongs to row k of the other.
        log_scale: learned logarithm of 1 / temperature; held at 100 or less.

    Source: Radford et al. 2021 (CLIP), arXiv 2103.00020, Figure 3.
    """
    logits = at_most(log_scale, MOST).exp() * (a @ b.T)
    partner = torch.arange(len(a), device=a.device)
    return (F.cross_entropy(logits, partner) + F.cross_entropy(logits.T, partner)) / 2


def contrastive_of_all(
    vectors: Vectors, there: Mapping[str, Bool[Tensor, " b"]], log_scale: Float[Tensor, ""]
) -> Float[Tensor, ""]:
    """The mean over all pairs of inputs, each over the samples that have both; 0 if none has."""
    losses = []
    for a, b in combinations(vectors, 2):
        both = there[a] & there[b]
        if both.any():
            losses.append(contrastive(vectors[a][both], vectors[b][both], log_scale))
    if not losses:
        return 0 * log_scale
    return torch.stack(losses).mean()


def top_1(a: Float[Tensor, "b d"], b: Float[Tensor, "b d"]) -> tuple[float, float]:
    """Share of a whose nearest b is its partner, and of b whose nearest a is."""
    alike = a @ b.T
    partner = torch.arange(len(a), device=a.device)
    hits = [(table.argmax(1) == partner).double().mean().item() for table in (alike, alike.T)]
    return hits[0], hits[1]
