"""Several attempts at an image embedding, of which the one nearest to the text is kept."""

from dataclasses import replace

import torch
import torch.nn.functional as F

from ..errors import InputError
from ..types import Float, Tensor
from .noise import candidate_seed
from .prior import Prior, PriorText, Request, Tick, no_tick
from .space import ImageEmbedding


def best_of(
    prior: Prior,
    count: int,
    text: PriorText,
    request: Request,
    negative: PriorText | None = None,
    tick: Tick = no_tick,
) -> ImageEmbedding:
    """Of `count` attempts for each seed, the one with the largest cosine to the text's sentence.

    One attempt is prior.sample() exactly, and attempt 0 of more is it too.
    Source: Ramesh et al. 2022 (DALL-E 2), arXiv 2204.06125, section 2.2, which takes two.
    """
    if not 1 <= count <= 64:
        raise InputError(f"candidates is {count}; it must be between 1 and 64")
    seeds = [candidate_seed(s, k) for s in request.seeds for k in range(count)]
    images = len(request.seeds)
    each = text.sized(images)
    against = negative.sized(images).repeated(count) if negative is not None else None
    found = prior.sample(each.repeated(count), replace(request, seeds=tuple(seeds)), against, tick)
    best = nearest(found.vectors.unflatten(0, (images, count)), each.pooled)
    return ImageEmbedding(best, found.space, found.unit)


def nearest(
    candidates: Float[Tensor, "b k d"], sentence: Float[Tensor, "b d"]
) -> Float[Tensor, "b d"]:
    """Of each image's candidates the one with the largest cosine to its sentence."""
    cosine = F.cosine_similarity(candidates.float(), sentence.float()[:, None], dim=-1)
    return candidates[torch.arange(len(candidates)), cosine.argmax(1)]
