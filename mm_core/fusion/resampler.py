"""The Perceiver resampler: any number of tokens, in any number of frames, as a fixed few."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import torch
from torch import nn

from ..types import Bool, Float, ModalityEmbedding, Tensor, Tokens
from .align import Align
from .attention import feed_forward, hear, start_at_zero
from .block import Fused, FusionBlock
from .config import FusionConfig, check_heads, check_whole
from .frames import in_time
from .inputs import checked, grouped, joined_name, side_by_side
from .pooling import mean_of_inputs

Latents = Float[Tensor, "b l d"]


@dataclass(frozen=True)
class ResamplerConfig(FusionConfig):
    """latents: tokens that come out. frames: of one modality that have a time of their own."""

    latents: int = 16
    layers: int = 2
    heads: int = 4
    frames: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(latents=self.latents, layers=self.layers, frames=self.frames)
        check_heads(self.width, self.heads)


class PerceiverAttention(nn.Module):
    """What latents hear of the media and of each other, in one softmax."""

    def __init__(self, width: int, heads: int, ops: ModuleType = nn):
        super().__init__()
        self.heads = heads
        self.norm_media, self.norm_latents = ops.LayerNorm(width), ops.LayerNorm(width)
        self.to_q = ops.Linear(width, width, bias=False)
        self.to_kv = ops.Linear(width, 2 * width, bias=False)
        self.to_out = ops.Linear(width, width, bias=False)

    def forward(self, media: Tokens, latents: Latents, mask: Bool[Tensor, "b n"]) -> Latents:
        normed = self.norm_latents(latents)
        heard = torch.cat([self.norm_media(media), normed], 1)
        k, v = self.to_kv(heard).chunk(2, -1)
        among = torch.cat([mask, mask.new_ones(normed.shape[:2])], 1)[:, None]
        return self.to_out(hear(self.to_q(normed), k, v, among, self.heads))


class PerceiverLayer(nn.ModuleList):
    """Attention and feed-forward, each added to the latents."""

    def __init__(self, width: int, heads: int, ops: ModuleType = nn):
        attention = PerceiverAttention(width, heads, ops)
        super().__init__([attention, feed_forward(width, ops, bias=False)])

    def forward(self, media: Tokens, latents: Latents, mask: Bool[Tensor, "b n"]) -> Latents:
        attention, feed = self
        x = latents + attention(media, latents, mask)
        return x + feed(x)


class Resampler(nn.Module):
    """Tokens (b, n, d) -> latents (b, latents, d). The names of the weights are the published ones.

    Source: Alayrac et al. 2022 (Flamingo), arXiv 2204.14198, section 2.1, with GELU for the
    squared ReLU, as in OpenFlamingo.
    """

    def __init__(self, width: int, latents: int, layers: int, heads: int, ops: ModuleType = nn):
        super().__init__()
        self.latents = nn.Parameter(torch.randn(latents, width))
        self.layers = nn.ModuleList(PerceiverLayer(width, heads, ops) for _ in range(layers))
        self.norm = ops.LayerNorm(width)

    def forward(self, tokens: Tokens, mask: Bool[Tensor, "b n"]) -> Latents:
        x = self.latents.to(tokens).expand(len(tokens), -1, -1)
        for layer in self.layers:
            x = layer(tokens, x, mask)
        return self.norm(x)


class ResamplerFusion(FusionBlock):
    """All inputs as a fixed number of tokens, the mean over inputs plus what latents heard.

    Several embeddings of one modality are its frames, in the order given; a single one is frame 0.
    Apart from that the order means nothing. What latents heard ends in a layer that starts at 0:
    every token of a new block is the mean of the inputs' mean tokens.
    """

    config: ResamplerConfig

    def __init__(self, config: ResamplerConfig, ops: ModuleType = nn):
        super().__init__()
        self.config = config
        width = config.width
        self.align = Align(config.widths, width, ops)
        self.frame_embs = nn.Parameter(torch.zeros(config.frames, width))
        self.resampler = Resampler(width, config.latents, config.layers, config.heads, ops)
        self.to_out = ops.Linear(width, width, bias=False)
        start_at_zero(self.to_out)

    def forward(self, embeddings: Sequence[ModalityEmbedding]) -> Fused:
        """All tokens are real, except in samples that have no input."""
        aligned = [self.align.one(e) for e in checked(embeddings, self.config)]
        parts = grouped(in_time(aligned, self.frame_embs), self.config)
        media = side_by_side(list(parts.values()))
        vector, anything = mean_of_inputs(parts)
        tokens = vector[:, None] + self.to_out(self.resampler(media.tokens, media.mask))
        mask = anything[:, None].expand(-1, self.config.latents)
        tokens = tokens.masked_fill(~mask[..., None], 0)
        return Fused(ModalityEmbedding(joined_name(list(parts.values())), tokens, mask))
