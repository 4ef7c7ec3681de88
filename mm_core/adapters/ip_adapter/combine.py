"""Several pictures in one image prompt."""

from collections.abc import Sequence

import torch

from ...errors import InputError
from ...types import Float, Tensor

COMBINATIONS = ("add", "subtract", "average", "norm average")
SILENT = -1e4  # a score that no softmax hears, also in half precision


def combine_features(
    features: Float[Tensor, " i *f"], how: str, weights: Sequence[float] | None = None
) -> Float[Tensor, " 1 *f"]:
    """Features of i pictures as those of one, before the projection.

    add: their sum. subtract: the first minus the mean of the rest. average: their mean.
    norm average: the mean after each feature was divided by its norm over the pictures.
    weights: one for each picture, which multiply its features first; an average is divided by
    their sum.
    """
    if how not in COMBINATIONS:
        raise InputError(
            f"there is no combination {how!r}; choose concat, {', '.join(COMBINATIONS)}"
        )
    w = _per_image(weights, features)
    if how == "add":
        return (w * features).sum(0, keepdim=True)
    if how == "subtract":
        first, rest = (w * features).split([1, len(features) - 1])
        return first - rest.mean(0, keepdim=True) if len(rest) else first
    if how == "norm average":
        length = features.norm(dim=0, keepdim=True)
        features = features / length.clamp_min(torch.finfo(length.dtype).tiny)
    if w.sum() == 0:
        raise InputError("the weights of an average sum to 0; give weights with another sum")
    return (w * features).sum(0, keepdim=True) / w.sum()


def concat_tokens(tokens: Float[Tensor, "i n d"]) -> Float[Tensor, "1 m d"]:
    """The tokens of i pictures in one line, all in one softmax."""
    return tokens.reshape(1, -1, tokens.shape[-1])


def token_bias(weights: Sequence[float], tokens: int) -> Float[Tensor, "1 1 m"]:
    """Scores to add so that concatenated pictures count by their weights.

    log weight: a picture of weight 2 counts as if it were there twice, one of weight 0 as if it
    were not there. tokens: of each picture.
    """
    if any(not 0 <= w < float("inf") for w in weights) or not any(weights):
        raise InputError(
            f"the weights of pictures are {list(weights)}; needed numbers of 0 or more, not all 0"
        )
    scores = torch.tensor(weights, dtype=torch.float32).log().clamp_min(SILENT)
    return scores.repeat_interleave(tokens)[None, None]


def _per_image(weights: Sequence[float] | None, features: Tensor) -> Tensor:
    count = len(features)
    if weights is not None and len(weights) != count:
        raise InputError(
            f"there are {len(weights)} weights for {count} pictures; give one for each"
        )
    w = torch.tensor([1.0] * count if weights is None else list(weights)).to(features)
    return w.view(-1, *[1] * (features.ndim - 1))
