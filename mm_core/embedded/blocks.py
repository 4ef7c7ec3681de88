"""The denoiser's parts. Every layer is made from `ops`, so that a host can pass its own layers."""

import math
from dataclasses import dataclass
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import nn

from ..types import Float, Tensor, Tokens


@dataclass(frozen=True)
class Heard:
    """Token streams that cross-attention hears, each with a gain: 0 is silence, bit for bit.

    gain is (b, 1, 1, 1), or None for 1 everywhere.
    """

    tokens: Tokens
    gain: Tensor | None = None


def sinusoid(position: Float[Tensor, " b"], width: int) -> Float[Tensor, "b width"]:
    """Cosines, then sines, over a geometric range of periods. Source: Vaswani et al. 2017."""
    half = width // 2
    frequency = torch.exp(
        -math.log(10000) * torch.arange(half, dtype=torch.float32, device=position.device) / half
    )
    angle = position[:, None].float() * frequency
    return torch.cat([angle.cos(), angle.sin()], 1)


def heads_of(x: Tokens, heads: int) -> Float[Tensor, "b heads n e"]:
    """(b, n, heads * e) -> (b, heads, n, e)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


MANY = 2**20  # pairs of query and key, beyond which writing them out costs too much memory


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """softmax(q k^T / sqrt(e)) v, (b, heads, n, e). Written out: for few tokens, on a CPU, that
    beats the fused kernel."""
    if q.shape[-2] * k.shape[-2] > MANY:
        return F.scaled_dot_product_attention(q, k, v)
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    return scores.float().softmax(-1).to(scores.dtype) @ v


class SelfAttention(nn.Module):
    """Multi-head self-attention."""

    def __init__(self, width: int, heads: int, ops: ModuleType):
        super().__init__()
        self.heads = heads
        self.qkv = ops.Linear(width, 3 * width, bias=False)
        self.out = ops.Linear(width, width)

    def forward(self, x: Tokens) -> Tokens:
        q, k, v = (heads_of(part, self.heads) for part in self.qkv(x).chunk(3, -1))
        return self.out(attend(q, k, v).transpose(1, 2).flatten(2))


class DecoupledCrossAttention(nn.Module):
    """One set of queries, a softmax for each token stream, their outputs added.

    Streams do not compete for attention, so each keeps its own gain.
    Source: the decoupled cross-attention of Ye et al. 2023 (IP-Adapter), arXiv 2308.06721, Eq. 5.
    """

    def __init__(self, width: int, context: int, streams: int, heads: int, ops: ModuleType):
        super().__init__()
        self.heads = heads
        self.to_q = ops.Linear(width, width, bias=False)
        self.to_kv = nn.ModuleList(
            ops.Linear(context, 2 * width, bias=False) for _ in range(streams)
        )
        self.out = ops.Linear(width, width, bias=False)

    def forward(self, x: Tokens, streams: list[Heard | None]) -> Tokens:
        """streams: text first; None for one that is absent."""
        q = heads_of(self.to_q(x), self.heads)
        total: Tensor | None = None
        for to_kv, heard in zip(self.to_kv, streams, strict=True):
            if heard is None:
                continue
            k, v = (heads_of(part, self.heads) for part in to_kv(heard.tokens).chunk(2, -1))
            said = attend(q, k, v)
            if heard.gain is not None:
                said = said * heard.gain.to(said.dtype)
            total = said if total is None else total + said
        assert total is not None, "cross-attention needs at least the text stream"
        return self.out(total.transpose(1, 2).flatten(2))


class TransformerBlock(nn.Module):
    """Self-attention, decoupled cross-attention, feed-forward, each added to its input.

    The last layer of each branch starts at zero, so a new block is the identity.
    """

    def __init__(self, width: int, context: int, streams: int, heads: int, ops: ModuleType):
        super().__init__()
        self.norm1 = ops.LayerNorm(width)
        self.attention = SelfAttention(width, heads, ops)
        self.norm2 = ops.LayerNorm(width)
        self.cross = DecoupledCrossAttention(width, context, streams, heads, ops)
        self.norm3 = ops.LayerNorm(width)
        self.feed = nn.Sequential(
            ops.Linear(width, 2 * width), nn.GELU(), ops.Linear(2 * width, width)
        )
        for last in (self.attention.out, self.cross.out, self.feed[-1]):
            start_at_zero(last)

    def forward(self, x: Float[Tensor, "b c h w"], streams: list[Heard | None]) -> Tensor:
        rows, columns = x.shape[-2:]
        y = x.flatten(2).transpose(1, 2)
        y = y + self.attention(self.norm1(y))
        y = y + self.cross(self.norm2(y), streams)
        y = y + self.feed(self.norm3(y))
        return y.transpose(1, 2).unflatten(2, (rows, columns))


class ResidualBlock(nn.Module):
    """Two convolutions; the embedding scales and shifts between them."""

    def __init__(self, channels: int, out: int, embedding: int, ops: ModuleType):
        super().__init__()
        self.norm1 = ops.GroupNorm(8, channels)
        self.conv1 = ops.Conv2d(channels, out, 3, padding=1)
        self.modulation = ops.Linear(embedding, 2 * out)
        self.norm2 = ops.GroupNorm(8, out)
        self.conv2 = ops.Conv2d(out, out, 3, padding=1)
        self.skip = ops.Conv2d(channels, out, 1) if channels != out else nn.Identity()
        start_at_zero(self.conv2)

    def forward(self, x: Tensor, embedding: Float[Tensor, "b e"]) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.modulation(embedding)[:, :, None, None].chunk(2, 1)
        return self.skip(x) + self.conv2(F.silu(self.norm2(h) * (1 + scale) + shift))


def start_weight(layer: nn.Module, spread: float) -> None:
    """Draws the weight alone. A host may make layers that have none until it is loaded."""
    weight = getattr(layer, "weight", None)
    if weight is not None:
        nn.init.normal_(weight, 0, spread)


def start_at_zero(layer: nn.Module) -> None:
    """Weights and bias 0, so that the branch this layer ends adds nothing at first."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
