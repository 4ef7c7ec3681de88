"""Decoupled cross-attention: the text's output plus a term for each image prompt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch.nn.functional as F

from ...types import Float, Tensor
from .keys_values import KV

Queries = Float[Tensor, "b q w"]


# (q, k, v, heads, scores to add or None) -> softmax(q k^T / sqrt(e) + scores) v, with the heads
# side by side in the last axis.
Attention = Callable[[Tensor, Tensor, Tensor, int, Tensor | None], Tensor]


def attention(
    q: Queries,
    k: Float[Tensor, "b n w"],
    v: Float[Tensor, "b n w"],
    heads: int,
    mask: Float[Tensor, " _ #q n"] | None = None,
) -> Queries:
    """PyTorch's. mask is added to the scores."""
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
    bias = None if mask is None else mask[:, None].to(q.dtype)
    heard = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
    return heard.transpose(1, 2).flatten(2)


@dataclass(frozen=True)
class ImageTerm:
    """One image prompt at one layer.

    kv: for each row of the batch, or one row for all.
    scale: one number, or (b, 1, 1) for each row. The number 0 costs nothing and changes nothing.
    where: (b or 1, queries, 1), multiplies the output; see masks.
    bias: (b or 1, queries or 1, tokens), added to the scores; see combine.token_bias.
    """

    kv: KV
    scale: float | Tensor = 1.0
    where: Tensor | None = None
    bias: Tensor | None = None


def add_images(
    text: Queries,
    q: Queries,
    terms: Sequence[ImageTerm],
    heads: int,
    attend: Attention = attention,
) -> Queries:
    """text + sum of scale * where * attention(q, K_image, V_image), before the output projection.

    text: what attention to the text gave for the same queries. Terms do not compete: each has a
    softmax of its own. Source: Ye et al. 2023 (IP-Adapter), arXiv 2308.06721, Eq. 5.
    """
    for term in terms:
        if isinstance(term.scale, float | int) and term.scale == 0:
            continue
        k, v = (part.to(q).expand(q.shape[0], -1, -1) for part in term.kv)
        heard = attend(q, k, v, heads, term.bias)
        if term.where is not None:
            heard = heard * term.where.to(heard)
        scale = term.scale.to(heard) if isinstance(term.scale, Tensor) else term.scale
        text = text + scale * heard
    return text
