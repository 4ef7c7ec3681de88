"""The network of LAION's prior, as DALLE2-pytorch names and computes it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import cast

import torch
import torch.nn.functional as F
from torch import nn

from ..errors import WeightsError
from ..types import Float, Int, Tensor, Tokens
from .blocks import Past
from .claims import check_room, check_shape, count_layers
from .prefix import Prefix, distinct
from .prior import PriorText

BUCKETS, FARTHEST = 32, 128  # of relative positions
SCALE = 4.0  # of queries and of keys, once they have length 1


@dataclass(frozen=True)
class Dalle2Sizes:
    """All of a network, as its tensors' shapes say it. times: timesteps of training."""

    dim: int
    layers: int
    heads: int
    head: int
    tokens: int
    times: int
    rotary: int
    widened: int

    @classmethod
    def of(cls, shapes: Mapping[str, tuple[int, ...]], source: str) -> "Dalle2Sizes":
        """Raises WeightsError where the network is of a kind that differs in more than size."""
        before = "causal_transformer.layers."
        first = f"{before}0."

        def at(name: str, dimensions: int) -> tuple[int, ...]:
            shape = shapes.get(name)
            if shape is None:
                raise WeightsError(
                    f"{source} is a LAION prior without {name!r}; this version reads those with "
                    "rotary positions and normalised feed-forward layers, as LAION trained them"
                )
            check_shape(name, shape, dimensions, source)
            return shape

        inner, head = at(f"{first}0.to_q.weight", 2)[0], at(f"{first}0.null_kv", 2)[1]
        sizes = cls(
            dim=at("learned_query", 1)[0],
            layers=count_layers(shapes, before, source),
            heads=inner // head,
            head=head,
            tokens=at("null_text_encodings", 3)[1],
            times=at("to_time_embeds.0.weight", 2)[0],
            rotary=2 * at(f"{first}0.rotary_emb.freqs", 1)[0],
            widened=at(f"{first}1.5.weight", 2)[1],
        )
        if inner % head or sizes.rotary > head:
            raise WeightsError(
                f"{source} cannot be used: {inner} numbers for heads of {head}, {sizes.rotary} of "
                "them turned; needed whole heads, of which no more is turned; download it again"
            )
        check_room(sizes.needs(), shapes, source)
        return sizes

    def needs(self) -> dict[str, int]:
        """Numbers that parts of the network have, by the size that makes them many."""
        layer = self.dim * (2 * (self.heads + 1) * self.head + 3 * self.widened)
        return {f"width {self.dim}": self.dim**2, f"layers {self.layers}": self.layers * layer}


class Dalle2Network(nn.Module):
    """A noisy unit embedding (times sqrt(d)), its timestep and a text -> the clean one.

    Reads text | sentence | time | noisy embedding | query and answers from the query.
    """

    def __init__(self, sizes: Dalle2Sizes, ops: ModuleType = nn):
        super().__init__()
        self.sizes = sizes
        dim = sizes.dim
        self.learned_query = nn.Parameter(torch.zeros(dim))
        self.null_text_encodings = nn.Parameter(torch.zeros(1, sizes.tokens, dim))
        self.null_text_embeds = nn.Parameter(torch.zeros(1, 1, dim))
        self.null_image_embed = nn.Parameter(torch.zeros(1, dim))
        self.to_time_embeds = nn.Sequential(ops.Embedding(sizes.times, dim))
        self.causal_transformer = _Transformer(sizes, ops)

    def forward(
        self,
        x: Float[Tensor, "b d"],
        t: Int[Tensor, " b"],
        text: PriorText | Prefix,
        without: bool = False,
    ) -> Float[Tensor, "b d"]:
        """In the weights' precision. text: or what read() made of it, for the same answer sooner.

        without: text, sentence and noisy embedding give way to learned nulls.
        """
        count = len(x)
        noisy = self.null_image_embed.expand(count, -1) if without else x.to(self._kind)
        query = self.learned_query.expand(count, 1, -1)
        h = torch.cat([self.to_time_embeds(t)[:, None], noisy[:, None], query], 1)
        if isinstance(text, Prefix):
            return self.causal_transformer(h, text.layers, self.sizes.tokens + 1)[:, -1]
        words = self._text(self.nothing(count) if without else text)
        return self.causal_transformer(torch.cat([words, h], 1))[:, -1]

    def read(self, text: PriorText) -> Prefix:
        """What the layers make of text and sentence, for every step of one run.

        Each text goes through the layers by itself, so that its rounding depends on no other;
        those that are alike go once. The layers' null is kept with each.
        """
        each, rows = distinct(text)
        read = []
        for one in each:
            kept = [Past() for _ in self.causal_transformer.layers]
            self.causal_transformer(self._text(one), kept)
            read.append(kept)
        most = 1 + self.sizes.tokens + 1
        return Prefix.of(read, [most] * len(read), rows, most)

    def nothing(self, count: int = 1) -> PriorText:
        """The learned nulls of text and sentence."""
        words = self.null_text_encodings.expand(count, -1, -1)
        mask = torch.ones(words.shape[:2], dtype=torch.bool, device=words.device)
        return PriorText(self.null_text_embeds[0].expand(count, -1), words, mask)

    @property
    def _kind(self) -> torch.dtype:
        """The weights' precision, to which all that is given is cast."""
        return self.learned_query.dtype

    def _text(self, text: PriorText) -> Tokens:
        tokens = text.tokens.to(self._kind)
        words = torch.where(text.mask[..., None], tokens, self.null_text_encodings)
        return torch.cat([words, text.pooled.to(self._kind)[:, None]], 1)


class _Gain(nn.Module):
    """Normalisation with a gain and no offset. careful: divides by the largest number first."""

    def __init__(self, width: int, careful: bool = False):
        super().__init__()
        self.g, self.careful = nn.Parameter(torch.ones(width)), careful

    def forward(self, x: Tokens) -> Tokens:
        if self.careful:
            x = x / x.amax(-1, keepdim=True)
        variance = x.var(-1, correction=0, keepdim=True)
        return (x - x.mean(-1, keepdim=True)) * (variance + 1e-5).rsqrt() * self.g


class _Rotary(nn.Module):
    """Turns pairs of numbers by an angle that grows with the token's place.

    Source: Su et al. 2021 (RoFormer), arXiv 2104.09864, with neighbours as pairs.
    """

    def __init__(self, width: int):
        super().__init__()
        self.freqs = nn.Parameter(torch.zeros(width // 2))

    def forward(self, x: Tensor, first: int) -> Tensor:
        """first: the place of the first token."""
        places = torch.arange(first, first + x.shape[-2], device=x.device)
        angle = places[:, None] * self.freqs
        count = 2 * len(self.freqs)
        a, b = x[..., 0:count:2], x[..., 1:count:2]
        turned = torch.stack([a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()])
        return torch.cat([turned.movedim(0, -1).flatten(-2), x[..., count:]], -1)


class _Attention(nn.Module):
    """Attention by cosine, many queries to one key and value, with a learned null to look at."""

    def __init__(self, sizes: Dalle2Sizes, ops: ModuleType):
        super().__init__()
        self.heads = sizes.heads
        inner = sizes.heads * sizes.head
        self.norm = _Gain(sizes.dim)
        self.null_kv = nn.Parameter(torch.zeros(2, sizes.head))
        self.to_q = ops.Linear(sizes.dim, inner, bias=False)
        self.to_kv = ops.Linear(sizes.dim, 2 * sizes.head, bias=False)
        self.rotary_emb = _Rotary(sizes.rotary)
        self.to_out = nn.Sequential(ops.Linear(inner, sizes.dim, bias=False), _Gain(sizes.dim))

    def forward(
        self, x: Tokens, bias: Float[Tensor, "h n m"], first: int, past: Past | None
    ) -> Tokens:
        """first: the place of the first token; the null comes before the token at 0."""
        h = self.norm(x)
        q = self.to_q(h).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        k, v = self.to_kv(h)[:, None].chunk(2, -1)
        q, k = self.rotary_emb(q, first), self.rotary_emb(k, first)
        if first == 0:
            null = self.null_kv[:, None, None, None].expand(-1, len(x), 1, 1, -1)
            k, v = torch.cat([null[0], k], 2), torch.cat([null[1], v], 2)
        q, k = SCALE * F.normalize(q, dim=-1), SCALE * F.normalize(k, dim=-1)
        if past is not None:
            k, v = past.extended(k, v)
        weight = (q @ k.transpose(-1, -2) + bias).softmax(-1)
        return self.to_out((weight @ v).transpose(1, 2).flatten(2))


class _Gated(nn.Module):
    def forward(self, x: Tokens) -> Float[Tensor, "b n half"]:
        value, gate = x.chunk(2, -1)
        return value * F.silu(gate)


class _Places(nn.Module):
    """A bias for each head by how far back a token looks. Source: Raffel et al. 2019 (T5)."""

    def __init__(self, heads: int, ops: ModuleType):
        super().__init__()
        self.relative_attention_bias = ops.Embedding(BUCKETS, heads)

    def forward(self, first: int, n: int) -> Float[Tensor, "h rows m"]:
        """From the tokens first..n - 1 to the null, at the first of all's place, and n tokens."""
        device = self.relative_attention_bias.weight.device
        back = torch.arange(first, n, device=device)[:, None] - torch.arange(n + 1, device=device)
        return self.relative_attention_bias(bucket(back)).permute(2, 0, 1)


def bucket(back: Int[Tensor, "n m"]) -> Int[Tensor, "n m"]:
    """Half of the buckets one place each, the others wider and wider up to FARTHEST."""
    back, exact = back.clamp(min=0), BUCKETS // 2
    wide = torch.log(back.float().clamp(min=1e-9) / exact) / math.log(FARTHEST / exact)
    wide = exact + (wide * (BUCKETS - exact)).long()
    return torch.where(back < exact, back, wide.clamp(max=BUCKETS - 1))


class _Transformer(nn.Module):
    def __init__(self, sizes: Dalle2Sizes, ops: ModuleType):
        super().__init__()
        self.rel_pos_bias = _Places(sizes.heads, ops)
        self.layers = nn.ModuleList(
            nn.ModuleList([_Attention(sizes, ops), _feed(sizes, ops)]) for _ in range(sizes.layers)
        )
        self.norm = _Gain(sizes.dim, careful=True)
        self.project_out = ops.Linear(sizes.dim, sizes.dim, bias=False)

    def forward(self, x: Tokens, past: Sequence[Past] | None = None, first: int = 0) -> Tokens:
        """first: the place of the first token."""
        n = first + x.shape[1]
        later = torch.ones(x.shape[1], n + 1, dtype=torch.bool, device=x.device).triu(first + 2)
        bias = self.rel_pos_bias(first, n).to(x).masked_fill(later, -torch.finfo(x.dtype).max)
        for k, layer in enumerate(self.layers):
            attention, feed = cast(nn.ModuleList, layer)
            x = x + attention(x, bias, first, past[k] if past is not None else None)
            x = x + feed(x)
        return self.project_out(self.norm(x))


def _feed(sizes: Dalle2Sizes, ops: ModuleType) -> nn.Sequential:
    inner = sizes.widened
    return nn.Sequential(
        _Gain(sizes.dim),
        ops.Linear(sizes.dim, 2 * inner, bias=False),
        _Gated(),
        _Gain(inner),
        nn.Identity(),
        ops.Linear(inner, sizes.dim, bias=False),
    )
