"""Attention that hears only what is there."""

from types import ModuleType

import torch.nn.functional as F
from torch import nn

from ..types import Bool, Float, Tensor, Tokens


def heads_of(x: Tokens, heads: int) -> Float[Tensor, "b heads n e"]:
    """(b, n, heads * e) -> (b, heads, n, e)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def hear(
    q: Float[Tensor, "b n he"],
    k: Float[Tensor, "b m he"],
    v: Float[Tensor, "b m he"],
    heard: Bool[Tensor, "b one_or_n m"],
    heads: int,
) -> Float[Tensor, "b n he"]:
    """softmax(q k^T / sqrt(e)) v in each head, over what is heard; 0 where that is nothing.

    Source: Vaswani et al. 2017, arXiv 1706.03762, Eq. 1.
    """
    anything = heard.any(-1, keepdim=True)
    # A row that hears nothing would divide 0 by 0; it hears all instead, and is then taken out.
    allowed = (heard | ~anything)[:, None]
    q, k, v = (heads_of(x, heads) for x in (q, k, v))
    said = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed)
    return said.transpose(1, 2).flatten(2).masked_fill(~anything, 0)


def feed_forward(width: int, ops: ModuleType, bias: bool = True) -> nn.Sequential:
    """Norm, four times the width, GELU, back."""
    return nn.Sequential(
        ops.LayerNorm(width),
        ops.Linear(width, 4 * width, bias=bias),
        nn.GELU(),
        ops.Linear(4 * width, width, bias=bias),
    )


def start_at_zero(*layers: nn.Module) -> None:
    """Weights and bias 0, so that what these layers end adds nothing at first."""
    for layer in layers:
        for parameter in layer.parameters():
            nn.init.zeros_(parameter)
