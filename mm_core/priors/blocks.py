"""The transformer layer that the diffusion prior and the autoregressive prior share."""

from types import ModuleType

import torch
import torch.nn.functional as F
from torch import nn

from ..types import Float, Tensor, Tokens


class Past:
    """Keys and values of the tokens one layer has seen."""

    def __init__(self) -> None:
        self.keys: Tensor | None = None
        self.values: Tensor | None = None

    def extended(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """All of them, these last; kept for the next call."""
        if self.keys is not None and self.values is not None:
            keys, values = torch.cat([self.keys, keys], 2), torch.cat([self.values, values], 2)
        self.keys, self.values = keys, values
        return keys, values


class Attention(nn.Module):
    """Self-attention with biases everywhere, under the names of published files."""

    def __init__(self, width: int, heads: int, ops: ModuleType = nn):
        super().__init__()
        self.heads = heads
        self.to_q, self.to_k, self.to_v = (ops.Linear(width, width) for _ in range(3))
        self.to_out = nn.ModuleList([ops.Linear(width, width)])

    def forward(self, x: Tokens, bias: Tensor, past: Past | None = None) -> Tokens:
        q, k, v = (
            part(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.to_q, self.to_k, self.to_v)
        )
        if past is not None:
            k, v = past.extended(k, v)
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        return self.to_out[0](out.transpose(1, 2).flatten(2))


class _Widened(nn.Module):
    def __init__(self, width: int, ops: ModuleType):
        super().__init__()
        self.proj = ops.Linear(width, 4 * width)

    def forward(self, x: Tokens) -> Float[Tensor, "b n w"]:
        return F.gelu(self.proj(x))


class _Feed(nn.Module):
    def __init__(self, width: int, ops: ModuleType):
        super().__init__()
        self.net = nn.Sequential(_Widened(width, ops), nn.Identity(), ops.Linear(4 * width, width))

    def forward(self, x: Tokens) -> Tokens:
        return self.net(x)


class Block(nn.Module):
    """Attention, then a feed-forward network, each on normalised input and added to it."""

    def __init__(self, width: int, heads: int, ops: ModuleType = nn):
        super().__init__()
        self.norm1, self.attn1 = ops.LayerNorm(width), Attention(width, heads, ops)
        self.norm3, self.ff = ops.LayerNorm(width), _Feed(width, ops)

    def forward(self, x: Tokens, bias: Tensor, past: Past | None = None) -> Tokens:
        """bias: added to the attention's logits."""
        x = x + self.attn1(self.norm1(x), bias, past)
        return x + self.ff(self.norm3(x))
