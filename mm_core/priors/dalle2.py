"""The network of LAION's prior, as DALLE2-pytorch names and computes it."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Literal, TypeVar, cast

import torch
import torch.nn.functional as F
from torch import nn

from ..errors import WeightsError
from ..types import Bool, Float, Int, Tensor, Tokens
from .blocks import Past
from .claims import check_room, check_shape, count_layers
from .prefix import Prefix, distinct
from .prior import PriorText

BUCKETS, FARTHEST = 32, 128  # of relative positions
SCALE = 4.0  # of queries and of keys, once they have length 1
CLIP_TOKENS = 77  # of the texts that networks without learned nulls were trained on

Nulls = Literal["all", "padding", "none"]
T = TypeVar("T")


@dataclass(frozen=True)
class Rule:
    """How a version of DALLE2-pytorch computes, which no tensor says.

    cosine: queries and keys have length 1; otherwise they are compared as they are, over the root
    of a head's width. bias: what the bias of places is multiplied by. careful: which norms divide
    by the largest number first.
    """

    cosine: bool = True
    bias: float = 1.0
    careful: Literal["no", "last", "all"] = "last"


NEWEST, OLDEST = "1.4.3 or newer", "0.16.0 or older"
RULES = {
    NEWEST: Rule(),
    "0.23.3 to 1.4.2": Rule(False, 128.0),
    "0.16.2 to 0.23.2": Rule(False, 1024.0, "all"),
    OLDEST: Rule(False, 1.0, "no"),
}
"""By version. The factors of the bias are those by which these divide the logits before it is
added, and multiply the sum."""
SAVED_BY: dict[Nulls, tuple[str, tuple[str, ...]]] = {
    "all": ("1.9 or newer", (NEWEST,)),
    "padding": ("0.23.0 to 1.8.4", (NEWEST, "0.23.3 to 1.4.2", "0.16.2 to 0.23.2")),
    "none": ("0.22.3 or older", (NEWEST, "0.16.2 to 0.23.2", OLDEST)),
}
"""By the nulls of a file: the versions that save such, and the rules that it may be computed by.
The newest is among them because others run old files so."""


@dataclass(frozen=True)
class Dalle2Sizes:
    """All of a network, as its tensors' shapes say it. times: timesteps of training.

    nulls: which learned ones it has. That of "padding" stands for padding alone; with "none"
    padding is not seen, and nothing told is a text that is not seen. rule: what no shape says.
    """

    dim: int
    layers: int
    heads: int
    head: int
    tokens: int
    times: int
    rotary: int
    widened: int
    nulls: Nulls = "all"
    rule: Rule = RULES[NEWEST]

    @classmethod
    def of(
        cls, shapes: Mapping[str, tuple[int, ...]], source: str, rule: Rule = RULES[NEWEST]
    ) -> "Dalle2Sizes":
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

        nulls = nulls_of(shapes)
        table = {"all": "null_text_encodings", "padding": PADDING_NULL}.get(nulls)
        inner, head = at(f"{first}0.to_q.weight", 2)[0], at(f"{first}0.null_kv", 2)[1]
        sizes = cls(
            dim=at("learned_query", 1)[0],
            layers=count_layers(shapes, before, source),
            heads=inner // head,
            head=head,
            tokens=at(table, 3)[1] if table else CLIP_TOKENS,
            times=at("to_time_embeds.0.weight", 2)[0],
            rotary=2 * at(f"{first}0.rotary_emb.freqs", 1)[0],
            widened=at(f"{first}1.5.weight", 2)[1],
            nulls=nulls,
            rule=rule,
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


PADDING_NULL = "null_text_embed"


def is_oldest(names: Mapping[str, object]) -> bool:
    """Whether a file is of 0.15.4 or older, which call a norm's gain gamma."""
    return any(name.endswith(".gamma") for name in names)


def named_as_newest(table: Mapping[str, T]) -> dict[str, T]:
    """The same table under the newest names, without the offsets of norms, which are zeros."""
    kept = {name: value for name, value in table.items() if not name.endswith(".beta")}
    return {re.sub(r"\.gamma$", ".g", name): value for name, value in kept.items()}


def nulls_of(names: Mapping[str, object]) -> Nulls:
    """By the names of the network's tensors."""
    if PADDING_NULL in names:
        return "padding"
    return "all" if any(name.startswith("null_") for name in names) else "none"


class Dalle2Network(nn.Module):
    """A noisy unit embedding (times sqrt(d)), its timestep and a text -> the clean one.

    Reads text | sentence | time | noisy embedding | query and answers from the query.
    """

    def __init__(self, sizes: Dalle2Sizes, ops: ModuleType = nn):
        super().__init__()
        self.sizes = sizes
        dim = sizes.dim
        self.learned_query = nn.Parameter(torch.zeros(dim))
        if sizes.nulls == "all":
            self.null_text_encodings = nn.Parameter(torch.zeros(1, sizes.tokens, dim))
            self.null_text_embeds = nn.Parameter(torch.zeros(1, 1, dim))
            self.null_image_embed = nn.Parameter(torch.zeros(1, dim))
        elif sizes.nulls == "padding":
            self.null_text_embed = nn.Parameter(torch.zeros(1, sizes.tokens, dim))
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

        without: nothing is told. Text, sentence and noisy embedding give way to learned nulls, or
        text and sentence are not seen; then a text that was read must have been read so, too.
        """
        count = len(x)
        learned = without and self.sizes.nulls == "all"
        noisy = self.null_image_embed.expand(count, -1) if learned else x.to(self._kind)
        query = self.learned_query.expand(count, 1, -1)
        h = torch.cat([self.to_time_embeds(t)[:, None], noisy[:, None], query], 1)
        if isinstance(text, Prefix):
            hidden = None if self.sizes.nulls != "none" else F.pad(~text.real, (0, h.shape[1]))
            first = self.sizes.tokens + 1
            return self.causal_transformer(h, text.layers, first, hidden)[:, -1]
        if learned:
            text = self.nothing(count)
        words, hidden = self._text(text), self._hidden(text, without)
        if hidden is not None:
            hidden = F.pad(hidden, (0, h.shape[1]))
        return self.causal_transformer(torch.cat([words, h], 1), hidden=hidden)[:, -1]

    def read(self, text: PriorText, without: bool = False) -> Prefix:
        """What the layers make of text and sentence, for every step of one run.

        Each text goes through the layers by itself, so that its rounding depends on no other;
        those that are alike go once. The layers' null is kept with each. without: see forward.
        """
        each, rows = distinct(text)
        read = []
        for one in each:
            kept = [Past() for _ in self.causal_transformer.layers]
            hidden = self._hidden(one, without)
            self.causal_transformer(self._text(one), kept, hidden=hidden)
            read.append(kept)
        most = 1 + self.sizes.tokens + 1
        made = Prefix.of(read, [most] * len(read), rows, most)
        hidden = self._hidden(text, without)
        return made if hidden is None else replace(made, real=~hidden)

    def nothing(self, count: int = 1) -> PriorText:
        """What stands for text and sentence where nothing is told."""
        device, dim = self.learned_query.device, self.sizes.dim
        if self.sizes.nulls != "all":
            words = torch.ones(count, self.sizes.tokens, dim, device=device, dtype=self._kind)
            return PriorText(words[:, 0], words, torch.zeros_like(words[..., 0], dtype=torch.bool))
        words = self.null_text_encodings.expand(count, -1, -1)
        mask = torch.ones(words.shape[:2], dtype=torch.bool, device=device)
        return PriorText(self.null_text_embeds[0].expand(count, -1), words, mask)

    @property
    def _kind(self) -> torch.dtype:
        """The weights' precision, to which all that is given is cast."""
        return self.learned_query.dtype

    @property
    def _padding(self) -> Tensor:
        """What stands where a text has no token."""
        if self.sizes.nulls == "all":
            return self.null_text_encodings
        if self.sizes.nulls == "padding":
            return self.null_text_embed
        return self.learned_query.new_ones(())  # not seen; zeros have no careful norm

    def _text(self, text: PriorText) -> Tokens:
        tokens = text.tokens.to(self._kind)
        words = torch.where(text.mask[..., None], tokens, self._padding)
        return torch.cat([words, text.pooled.to(self._kind)[:, None]], 1)

    def _hidden(self, text: PriorText, without: bool) -> Bool[Tensor, "b m"] | None:
        """Of the layers' null, the words and the sentence, those that no token looks at."""
        if self.sizes.nulls != "none":
            return None
        words = ~text.mask | without
        null, sentence = (torch.full_like(words[:, :1], here) for here in (False, without))
        return torch.cat([null, words, sentence], 1)


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
    """Many queries to one key and value, with a learned null to look at."""

    def __init__(self, sizes: Dalle2Sizes, ops: ModuleType):
        super().__init__()
        self.heads = sizes.heads
        inner = sizes.heads * sizes.head
        self.rule = sizes.rule
        self.norm = _gain(sizes, sizes.dim)
        self.null_kv = nn.Parameter(torch.zeros(2, sizes.head))
        self.to_q = ops.Linear(sizes.dim, inner, bias=False)
        self.to_kv = ops.Linear(sizes.dim, 2 * sizes.head, bias=False)
        self.rotary_emb = _Rotary(sizes.rotary)
        out = ops.Linear(inner, sizes.dim, bias=False)
        self.to_out = nn.Sequential(out, _gain(sizes, sizes.dim))

    def forward(
        self, x: Tokens, bias: Float[Tensor, "*b h n m"], first: int, past: Past | None
    ) -> Tokens:
        """first: the place of the first token; the null comes before the token at 0."""
        h = self.norm(x)
        q = self.to_q(h).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        k, v = self.to_kv(h)[:, None].chunk(2, -1)
        q, k = self.rotary_emb(q, first), self.rotary_emb(k, first)
        if first == 0:
            null = self.null_kv[:, None, None, None].expand(-1, len(x), 1, 1, -1)
            k, v = torch.cat([null[0], k], 2), torch.cat([null[1], v], 2)
        if self.rule.cosine:
            q, k = SCALE * F.normalize(q, dim=-1), SCALE * F.normalize(k, dim=-1)
        else:
            q = q * q.shape[-1] ** -0.5
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
        self.bias = sizes.rule.bias
        self.norm = _Gain(sizes.dim, careful=sizes.rule.careful != "no")
        self.project_out = ops.Linear(sizes.dim, sizes.dim, bias=False)

    def forward(
        self,
        x: Tokens,
        past: Sequence[Past] | None = None,
        first: int = 0,
        hidden: Bool[Tensor, "b m"] | None = None,
    ) -> Tokens:
        """first: the place of the first token. hidden: which of null and tokens no token sees."""
        n = first + x.shape[1]
        later = torch.ones(x.shape[1], n + 1, dtype=torch.bool, device=x.device).triu(first + 2)
        bias = self.bias * self.rel_pos_bias(first, n).to(x)
        bias = bias.masked_fill(later, -torch.finfo(x.dtype).max)
        if hidden is not None:
            bias = bias.where(~hidden[:, None, None], -torch.finfo(x.dtype).max)
        for k, layer in enumerate(self.layers):
            attention, feed = cast(nn.ModuleList, layer)
            x = x + attention(x, bias, first, past[k] if past is not None else None)
            x = x + feed(x)
        return self.project_out(self.norm(x))


def _feed(sizes: Dalle2Sizes, ops: ModuleType) -> nn.Sequential:
    inner = sizes.widened
    return nn.Sequential(
        _gain(sizes, sizes.dim),
        ops.Linear(sizes.dim, 2 * inner, bias=False),
        _Gated(),
        _gain(sizes, inner),
        nn.Identity(),
        ops.Linear(inner, sizes.dim, bias=False),
    )


def _gain(sizes: Dalle2Sizes, width: int) -> _Gain:
    return _Gain(width, sizes.rule.careful == "all")
