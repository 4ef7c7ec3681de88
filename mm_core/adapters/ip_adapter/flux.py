"""How the two families of adapters for Flux act on its blocks, as pure functions.

Queries are those of the host after its norm of queries and before rotary positions.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F

from ...types import Float, Tensor
from .keys_values import KV

Heads = Float[Tensor, "b heads n e"]
HeadAttention = Callable[[Tensor, Tensor, Tensor], Tensor]
DOUBLE_BLOCKS = 19  # InstantX numbers the double blocks first, then the single ones


def xlabs_term(
    q: Heads, kv: KV, attend: HeadAttention = F.scaled_dot_product_attention
) -> Float[Tensor, "b n w"]:
    """What XLabs adds, times its scale, to the image tokens AFTER a double block is done.

    No gate and no output projection apply to it. q: of the image tokens.
    """
    return _heard(q, kv.k, kv.v, attend, lambda x: x)


def instantx_term(
    q: Heads, kv: KV, attend: HeadAttention = F.scaled_dot_product_attention
) -> Float[Tensor, "b n w"]:
    """What InstantX adds, times its scale, to attention's output BEFORE projection and gate.

    Keys and values are normed by head, without learned gains. q: of the image tokens in double
    blocks, of text and image tokens in single blocks.
    """
    return _heard(q, kv.k, kv.v, attend, rms_norm)


def block_of(index: int, double: int = DOUBLE_BLOCKS) -> tuple[str, int]:
    """InstantX's layer index -> ("double_block" or "single_block", its number)."""
    return ("double_block", index) if index < double else ("single_block", index - double)


def rms_norm(x: Tensor) -> Tensor:
    """x over its root mean square, in float32 and with the adapter's epsilon."""
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + 1e-5)).to(x.dtype)


def _heard(
    q: Heads, k: Tensor, v: Tensor, attend: HeadAttention, norm: Callable[[Tensor], Tensor]
) -> Tensor:
    heads = q.shape[1]
    k, v = (
        norm(part.to(q).expand(len(q), -1, -1).unflatten(-1, (heads, -1)).transpose(1, 2))
        for part in (k, v)
    )
    return attend(q, k, v).transpose(1, 2).flatten(2)
