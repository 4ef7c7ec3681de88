"""The ways from words to an image embedding that `mmc bench prior` compares."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from ...embedded.prior import EmbeddedPriors, sentence_as_image
from ...priors.prior import PriorText, Request
from ...priors.rerank import best_of
from ...priors.space import EMBEDDED, ImageEmbedding
from ...types import Float, Tensor

RIDGE = 1e-2  # of the mean square of the sentence's numbers
STRAIGHT, LINEAR, MEAN = "text straight through", "linear map", "diffusion, its mean"
ATTEMPTS = ", best of 2"
"""How the name of a way ends that makes two of what the way without the ending makes one of."""

Give = Callable[[PriorText, list[int]], ImageEmbedding]
"""(texts, a seed for each) -> image embeddings."""


@dataclass(frozen=True)
class Way:
    """One way to get an image embedding from words. meaning: for people."""

    name: str
    give: Give
    meaning: str


def fit_linear(
    sentences: Float[Tensor, "n d"], vectors: Float[Tensor, "n e"]
) -> Callable[[Float[Tensor, "b d"]], Float[Tensor, "b e"]]:
    """The ridge regression from a sentence vector to an image embedding.

    Source: Hoerl and Kennard 1970, Ridge regression.
    """
    given = torch.cat([sentences, torch.ones(len(sentences), 1)], 1).double()
    penalty = RIDGE * len(given) * sentences.double().square().mean()
    square = given.T @ given
    square.diagonal()[:-1] += penalty
    weight = torch.linalg.solve(square, given.T @ vectors.double()).float()
    return lambda sentence: sentence @ weight[:-1] + weight[-1]


def ways(
    priors: EmbeddedPriors, linear: Callable[[Tensor], Tensor], length: float, empty: PriorText
) -> list[Way]:
    """All that are compared. length: root mean square of true embeddings."""
    diffusion, coded = priors.priors["diffusion"], priors.priors["autoregressive"]

    def diffused(count: int, **asked: Any) -> Give:
        return lambda text, seeds: best_of(
            diffusion, count, text, Request(tuple(seeds), **asked), empty
        )

    def told(count: int, guidance: float) -> Give:
        return lambda text, seeds: best_of(
            coded, count, text, Request(tuple(seeds), guidance=guidance)
        )

    return [
        Way(STRAIGHT, lambda text, _: sentence_as_image(text, length),
            "the sentence vector at the length of an image embedding, no prior"),
        Way(LINEAR, lambda text, _: ImageEmbedding(linear(text.pooled), EMBEDDED),
            "ridge regression from the sentence vector"),
        Way(MEAN, diffused(1, guidance=1.0, solver="mean"),
            "one step, no guidance: the mean of all embeddings that fit the text"),
        Way("diffusion", diffused(1, guidance=1.0), "25 steps, no guidance"),
        Way("diffusion, best of 2", diffused(2, guidance=1.0), "two attempts, nearest kept"),
        Way("diffusion, guidance 2", diffused(1, guidance=2.0), "25 steps"),
        Way("diffusion, guidance 2, best of 2", diffused(2, guidance=2.0), "two attempts"),
        Way("diffusion, guidance 2, DDIM", diffused(1, guidance=2.0, steps=8, solver="ddim"),
            "8 steps"),
        Way("autoregressive", told(1, 1.0), "code by code, no guidance"),
        Way("autoregressive, best of 2", told(2, 1.0), "two attempts, nearest kept"),
        Way("autoregressive, guidance 2", told(1, 2.0), "on logits"),
    ]  # fmt: skip
