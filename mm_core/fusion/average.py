"""Inputs added up place by place, with weights that sum to 1 over those that are there."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from ..errors import InputError
from ..types import Bool, Float, ModalityEmbedding, Tensor
from .block import Fused
from .inputs import joined_name, together

Stack = Float[Tensor, "m b n d"]
Real = Bool[Tensor, "m b n"]


def average(embeddings: Sequence[ModalityEmbedding]) -> Fused:
    """The mean of the first tokens, of the second ones, and so on.

    An input counts at the places where it has a token: past the end of a short one, the others go
    on alone. One input comes out bit for bit. The order does not matter but for rounding.
    """
    parts = together(embeddings)
    tokens, real = stacked(parts)
    return mixed(parts, tokens, real, shares(torch.zeros_like(tokens[..., 0]), real))


def norm_average(embeddings: Sequence[ModalityEmbedding]) -> Fused:
    """The mean direction, as long as the inputs are on average, place by place.

    For inputs of different scales: a plain mean is nearly the longer one. Tokens of opposite
    directions cancel to 0. One input comes out bit for bit.
    """
    parts = together(embeddings)
    tokens, real = stacked(parts)
    weights = shares(torch.zeros_like(tokens[..., 0]), real)
    length = (weights * tokens.norm(dim=-1)).sum(0)
    mean = mixed(parts, F.normalize(tokens, dim=-1), real, weights)
    scaled = F.normalize(mean.embedding.tokens, dim=-1) * length[..., None]
    alone = (real.sum(0) <= 1)[..., None]
    out = torch.where(alone, tokens.sum(0), scaled)
    return Fused(ModalityEmbedding(mean.embedding.modality, out, mean.embedding.mask), mean.shares)


def stacked(parts: Sequence[ModalityEmbedding]) -> tuple[Stack, Real]:
    """All inputs one above another, padded to the longest."""
    widths = {p.modality: p.tokens.shape[-1] for p in parts}
    if len(set(widths.values())) > 1:
        raise InputError(
            f"the tokens have different widths, {widths}; use encoders of one width, or a fitted "
            "fusion block"
        )
    longest = max(p.tokens.shape[1] for p in parts)
    tokens = [F.pad(p.tokens, (0, 0, 0, longest - p.tokens.shape[1])) for p in parts]
    real = [F.pad(p.mask, (0, longest - p.mask.shape[1])) for p in parts]
    return torch.stack(tokens), torch.stack(real)


def shares(scores: Float[Tensor, "m b n"], real: Real) -> Float[Tensor, "m b n"]:
    """Softmax of the scores over the inputs that are real at each place; 0 for the others."""
    anything = real.any(0)
    return scores.masked_fill(~real & anything, -torch.inf).softmax(0) * real


def mixed(
    parts: Sequence[ModalityEmbedding],
    tokens: Stack,
    real: Real,
    weights: Float[Tensor, "m b n"],
) -> Fused:
    """The weighted sum, and each input's mean weight over the places where anything is."""
    there = real.any(0)
    means = weights.sum(2) / there.sum(1).clamp(min=1)
    said: dict[str, Tensor] = {}
    for part, mean in zip(parts, means, strict=True):
        said[part.modality] = said[part.modality] + mean if part.modality in said else mean
    out = (weights[..., None] * tokens).sum(0)
    return Fused(ModalityEmbedding(joined_name(parts), out, there), said)
