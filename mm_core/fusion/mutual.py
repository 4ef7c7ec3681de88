"""Cross-attention between all inputs, every one hearing all the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import torch
from torch import nn

from ..types import ModalityEmbedding
from .align import Align
from .attention import feed_forward, hear, start_at_zero
from .block import Fused, FusionBlock
from .config import FusionConfig, check_heads, check_whole
from .inputs import Parts, by_modality, side_by_side


@dataclass(frozen=True)
class MutualConfig(FusionConfig):
    layers: int = 2
    heads: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(layers=self.layers)
        check_heads(self.width, self.heads)


class MutualLayer(nn.Module):
    """x_i + attention(x_i, all x_j but i), then a feed-forward, for all i at once.

    All are updated from the same state, so no input comes before another. One that hears nobody
    passes as it is. The last layers start at 0: a new layer is the identity.
    """

    def __init__(self, names: Sequence[str], width: int, heads: int, ops: ModuleType = nn):
        super().__init__()
        self.heads = heads
        self.norm = nn.ModuleDict({n: ops.LayerNorm(width) for n in names})
        self.to_q = nn.ModuleDict({n: ops.Linear(width, width, bias=False) for n in names})
        self.to_kv = nn.ModuleDict({n: ops.Linear(width, 2 * width, bias=False) for n in names})
        self.to_out = nn.ModuleDict({n: ops.Linear(width, width, bias=False) for n in names})
        feeds = {n: feed_forward(width, ops) for n in names}
        self.feed = nn.ModuleDict(feeds)
        start_at_zero(*self.to_out.values(), *(feed[-1] for feed in feeds.values()))

    def forward(self, parts: Parts) -> Parts:
        normed = {n: self.norm[n](p.tokens) for n, p in parts.items()}
        pairs = {n: self.to_kv[n](x) for n, x in normed.items()}
        out = {}
        for name, part in parts.items():
            others = [n for n in parts if n != name]
            if not others:
                return parts
            k, v = torch.cat([pairs[n] for n in others], 1).chunk(2, -1)
            heard = torch.cat([parts[n].mask for n in others], 1)[:, None]
            said = hear(self.to_q[name](normed[name]), k, v, heard, self.heads)
            x = part.tokens + self.to_out[name](said)
            fed = x + self.feed[name](x)
            changes = part.mask[..., None] & heard.any(-1, keepdim=True)
            out[name] = ModalityEmbedding(name, torch.where(changes, fed, part.tokens), part.mask)
        return out


class MutualAttention(FusionBlock):
    """Layers of cross-attention in every direction, then all inputs side by side, the base first.

    A new block is plain concat, where the widths are equal.
    Sources: Lu et al. 2019 (ViLBERT), arXiv 1908.02265, for two inputs; Tsai et al. 2019 (MulT),
    arXiv 1906.00295, for any number.
    """

    config: MutualConfig

    def __init__(self, config: MutualConfig, ops: ModuleType = nn):
        super().__init__()
        self.config = config
        self.align = Align(config.widths, config.width, ops)
        self.layers = nn.ModuleList(
            MutualLayer(config.names, config.width, config.heads, ops) for _ in range(config.layers)
        )

    def forward(self, embeddings: Sequence[ModalityEmbedding]) -> Fused:
        parts = self.align(by_modality(embeddings, self.config))
        for layer in self.layers:
            parts = layer(parts)
        return Fused(side_by_side(list(parts.values())))
