"""Gated cross-attention: the base hears the other inputs through a gate that starts closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import torch
from torch import nn

from ..types import Bool, ModalityEmbedding, Tensor, Tokens
from .align import Align
from .attention import feed_forward, hear
from .block import Fused, FusionBlock, adjusted
from .config import FusionConfig, check_heads, check_whole
from .frames import in_time
from .inputs import Parts, checked, grouped, side_by_side, with_stand_in
from .resampler import Resampler
from .sequence import media_before


@dataclass(frozen=True)
class FlamingoConfig(FusionConfig):
    """latents: tokens that each medium is resampled to first; 0 leaves it as it is.

    interleaved: the order of the embeddings is that of reading, and text hears the medium
    immediately before it alone. Otherwise the order means nothing, and the base hears all.
    frames: media of one modality that have a time of their own, where they are not interleaved.
    """

    layers: int = 2
    heads: int = 4
    latents: int = 0
    frames: int = 8
    interleaved: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(layers=self.layers, frames=self.frames)
        if self.latents:
            check_whole(latents=self.latents)
        check_heads(self.width, self.heads)


class GatedCrossAttention(nn.Module):
    """y + tanh(a) attention(y, media), then + tanh(f) feed_forward(y), where any medium is heard.

    Both gates start at 0: a new layer is the identity. A token that hears no medium passes as it
    is, whatever the gates.
    Source: Alayrac et al. 2022 (Flamingo), arXiv 2204.14198, section 2.2 and Figure 4.
    """

    def __init__(self, width: int, heads: int, ops: ModuleType = nn):
        super().__init__()
        self.heads = heads
        self.norm = ops.LayerNorm(width)
        self.to_q = ops.Linear(width, width, bias=False)
        self.to_kv = ops.Linear(width, 2 * width, bias=False)
        self.to_out = ops.Linear(width, width, bias=False)
        self.attn_gate = nn.Parameter(torch.zeros(1))
        self.feed = feed_forward(width, ops, bias=False)
        self.ff_gate = nn.Parameter(torch.zeros(1))

    def forward(
        self,
        tokens: Tokens,
        media: Tensor,
        heard: Bool[Tensor, "b one_or_n m"],
    ) -> Tokens:
        """media: (b, m, d). heard: which of its tokens each token hears."""
        k, v = self.to_kv(media).chunk(2, -1)
        said = self.to_out(hear(self.to_q(self.norm(tokens)), k, v, heard, self.heads))
        y = tokens + self.attn_gate.to(tokens).tanh() * said
        y = y + self.ff_gate.to(tokens).tanh() * self.feed(y)
        return torch.where(heard.any(-1, keepdim=True), y, tokens)


class Flamingo(FusionBlock):
    """The base's own tokens, which have heard the other inputs.

    A new block is the base, bit for bit; so is any block in samples that have the base alone.
    Samples without the base get one learned token in its place.
    """

    config: FlamingoConfig

    def __init__(self, config: FlamingoConfig, ops: ModuleType = nn):
        super().__init__()
        self.config = config
        width = config.width
        self.align = Align({n: config.widths[n] for n in config.others}, width, ops)
        self.resampler = (
            Resampler(width, config.latents, config.layers, config.heads, ops)
            if config.latents
            else None
        )
        self.frame_embs = nn.Parameter(torch.zeros(config.frames, width))
        self.layers = nn.ModuleList(
            GatedCrossAttention(width, config.heads, ops) for _ in range(config.layers)
        )
        self.stand_in = nn.Parameter(torch.zeros(width))

    def forward(self, embeddings: Sequence[ModalityEmbedding]) -> Fused:
        base = self.config.base
        sequence = checked(embeddings, self.config)
        parts = grouped(sequence, self.config)
        text = with_stand_in(parts, base, self.stand_in)
        if parts.keys() == {base}:
            return Fused(text)
        sequence = self._media(sequence)
        media = side_by_side([e for e in sequence if e.modality != base])
        heard = self._heard(sequence, parts) if self.config.interleaved else media.mask[:, None]
        tokens = text.tokens
        for layer in self.layers:
            tokens = layer(tokens, media.tokens, heard)
        return adjusted(text, tokens, parts)

    def _heard(self, sequence: list[ModalityEmbedding], parts: Parts) -> Bool[Tensor, "b n m"]:
        """For the text as it is read; what stands in for text stands at the end."""
        heard, at_end = media_before(sequence, self.config.base)
        if self.config.base not in parts:
            return at_end[:, None]
        given = parts[self.config.base].mask.any(1)
        return torch.where(given[:, None, None], heard, at_end[:, None])

    def _media(self, sequence: list[ModalityEmbedding]) -> list[ModalityEmbedding]:
        """The sequence with its media in the base's width, resampled; sorted unless read."""
        config = self.config
        text = [e for e in sequence if e.modality == config.base]
        if not config.interleaved:
            media = [e for n in config.others for e in sequence if e.modality == n]
            timed = in_time([self.align.one(e) for e in media], self.frame_embs)
            return text + [self._resampled(e) for e in timed]
        return [
            e if e.modality == config.base else self._resampled(self.align.one(e)) for e in sequence
        ]

    def _resampled(self, e: ModalityEmbedding) -> ModalityEmbedding:
        if self.resampler is None:
            return e
        tokens = self.resampler(e.tokens, e.mask)
        mask = e.mask.any(1, keepdim=True).expand(-1, tokens.shape[1])
        return ModalityEmbedding(e.modality, tokens, mask)
