"""The network of the Karlo and Kandinsky 2.1 and 2.2 priors, under the names of their files."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import nn

from ..errors import InputError
from ..types import Bool, Float, Tensor, Tokens
from .blocks import Block, Past
from .prefix import Prefix, distinct
from .prior import PriorText

STATE = 3  # the last tokens, which a step changes: time, noisy embedding, query
EXTRA = 1 + STATE  # tokens after the words, the first of which is the sentence
HIDDEN = -10_000.0  # what the published priors add for "do not look"; padded and later, twice


@dataclass(frozen=True)
class Sizes:
    """dim: of the embeddings. tokens: of the text."""

    dim: int
    width: int
    heads: int
    layers: int
    tokens: int = 77

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InputError(f"{name} is {value!r}; needed a whole number of 1 or more")
        if self.width % self.heads or self.width % 2:
            raise InputError(
                f"{self.heads} heads cannot share the width {self.width}; choose a number of heads "
                "that divides it"
            )


class PriorTransformer(nn.Module):
    """A noisy, normalised embedding, its time and a text -> the clean, normalised embedding.

    Reads text | sentence | time | noisy embedding | query in this order, each token seeing those
    before it; the answer is read from the query. Source: Ramesh et al. 2022 (DALL-E 2), arXiv
    2204.06125, section 2.2. clip_mean and clip_std take embeddings to and from normalised ones.
    """

    clip_mean: Tensor
    clip_std: Tensor

    def __init__(self, sizes: Sizes, ops: ModuleType = nn):
        super().__init__()
        self.sizes = sizes
        dim, width = sizes.dim, sizes.width
        self.positional_embedding = nn.Parameter(torch.zeros(1, sizes.tokens + EXTRA, width))
        self.prd_embedding = nn.Parameter(torch.zeros(1, 1, width))
        self.time_embedding = nn.ModuleDict(
            {"linear_1": ops.Linear(width, width), "linear_2": ops.Linear(width, width)}
        )
        self.proj_in = ops.Linear(dim, width)
        self.embedding_proj = ops.Linear(dim, width)
        self.encoder_hidden_states_proj = ops.Linear(dim, width)
        self.transformer_blocks = nn.ModuleList(
            Block(width, sizes.heads, ops) for _ in range(sizes.layers)
        )
        self.norm_out = ops.LayerNorm(width)
        self.proj_to_clip_embeddings = ops.Linear(width, dim)
        self.register_buffer("clip_mean", torch.zeros(1, dim))
        self.register_buffer("clip_std", torch.ones(1, dim))

    def forward(
        self, x: Float[Tensor, "b d"], t: Float[Tensor, " b"], text: PriorText | Prefix
    ) -> Float[Tensor, "b d"]:
        """t: timesteps, 0..999. text: or what read() made of it, for the same answer sooner."""
        h = self._state(x, t)
        if isinstance(text, Prefix):
            prefix, real = text, text.real
        else:
            h, prefix = torch.cat([self._text(text), h], 1), None
            real = F.pad(text.mask, (0, 1), value=True)
        bias = causal_bias(F.pad(real, (0, STATE), value=True), h.shape[1])
        h = self._run(h, bias, prefix.layers if prefix is not None else None)
        return self.proj_to_clip_embeddings(self.norm_out(h)[:, -1])

    def read(self, text: PriorText) -> Prefix:
        """What the layers make of text and sentence, for every step of one run.

        Each text goes through the layers by itself, so that its rounding depends on no other;
        those that are alike go once. Padding is left out: what HIDDEN is added to has weight 0 in
        any precision.
        """
        each, rows = distinct(text)
        read, counts = [], []
        for one in each:
            real = F.pad(one.mask[0], (0, 1), value=True)
            h, kept = self._text(one)[:, real], [Past() for _ in self.transformer_blocks]
            self._run(h, causal_bias(real[None, real], h.shape[1]), kept)
            read.append(kept)
            counts.append(h.shape[1])
        return Prefix.of(read, counts, rows, self.sizes.tokens + 1)

    def _text(self, text: PriorText) -> Tokens:
        """Words and sentence in their places: what no step changes."""
        kind = self.proj_in.weight.dtype
        h = torch.cat(
            [
                self.encoder_hidden_states_proj(text.shown.to(kind)),
                self.embedding_proj(text.pooled.to(kind))[:, None],
            ],
            1,
        )
        return h + self.positional_embedding[:, :-STATE].to(kind)

    def _state(self, x: Float[Tensor, "b d"], t: Float[Tensor, " b"]) -> Float[Tensor, "b n w"]:
        """Time, noisy embedding and query in their places."""
        kind = self.proj_in.weight.dtype
        time = self.time_embedding["linear_1"](waves(t, self.sizes.width).to(kind))
        time = self.time_embedding["linear_2"](F.silu(time))
        query = self.prd_embedding.to(kind).expand(len(x), -1, -1)
        h = torch.cat([time[:, None], self.proj_in(x.to(kind))[:, None], query], 1)
        return h + self.positional_embedding[:, -STATE:].to(kind)

    def _run(
        self, h: Tokens, bias: Float[Tensor, "u 1 n m"], past: Sequence[Past] | None
    ) -> Tokens:
        bias = bias.to(h)
        for k, block in enumerate(self.transformer_blocks):
            h = block(h, bias, past[k] if past is not None else None)
        return h

    def normalised(self, vectors: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        """Embeddings of the encoder -> what the network reads."""
        return (vectors - self.clip_mean) / self.clip_std

    def denormalised(self, x: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        """What the network gives -> embeddings as the encoder gives them."""
        return x * self.clip_std + self.clip_mean

    def typical_norm(self) -> float:
        """Root mean square length of the encoder's embeddings, from their mean and deviation."""
        return float((self.clip_mean**2 + self.clip_std**2).sum().sqrt())


def waves(t: Float[Tensor, " b"], width: int) -> Float[Tensor, "b width"]:
    """Cosines, then sines, of t at frequencies from 1 to 1/10000.

    Source: Vaswani et al. 2017, arXiv 1706.03762, section 3.5.
    """
    half = width // 2
    index = torch.arange(half, dtype=torch.float32, device=t.device)
    angle = t.float()[:, None] * torch.exp(-math.log(10_000) / half * index)
    return torch.cat([angle.cos(), angle.sin()], -1)


def causal_bias(mask: Bool[Tensor, "b n"], rows: int) -> Float[Tensor, "b 1 rows n"]:
    """HIDDEN where a token is later, and again where it is padding; for the last `rows` tokens."""
    n = mask.shape[1]
    later = torch.full((rows, n), HIDDEN, device=mask.device).triu(n - rows + 1)
    return later[None, None] + (~mask).float()[:, None, None] * HIDDEN
