"""The denoiser: a UNet over 16 x 16 latents that predicts the flow from picture to noise."""

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from ..types import Float, Latent, Tensor, Tokens
from .autoencoder import CHANNELS
from .blocks import Heard, ResidualBlock, TransformerBlock, sinusoid, start_at_zero
from .conditioners import WIDTH

EMBEDDING = 256
STREAMS = ("text", "style", "audio")


@dataclass(frozen=True)
class Widths:
    """Channels at 16 x 16, 8 x 8 and 4 x 4."""

    fine: int = 48
    coarse: int = 112
    deep: int = 192


class Denoiser(nn.Module):
    """(x, sigma * 1000, text tokens, optional inputs) -> velocity, noise minus latent.

    An optional input that is missing, or has gain 0, changes nothing, bit for bit. Latents of
    other sizes than 16 x 16 work; sides that 4 does not divide are padded inside.
    """

    def __init__(self, widths: Widths | None = None, ops: ModuleType = nn, **_: Any):
        super().__init__()
        w = widths or Widths()

        def res(a: int, b: int) -> ResidualBlock:
            return ResidualBlock(a, b, EMBEDDING, ops)

        def transformer(a: int) -> TransformerBlock:
            return TransformerBlock(a, WIDTH, len(STREAMS), 4, ops)

        self.time = nn.Sequential(
            ops.Linear(128, EMBEDDING), nn.SiLU(), ops.Linear(EMBEDDING, EMBEDDING)
        )
        self.pooled = nn.ModuleList(ops.Linear(WIDTH, EMBEDDING, bias=False) for _ in STREAMS)
        self.enter = ops.Conv2d(CHANNELS, w.fine, 3, padding=1)
        self.place = nn.Parameter(torch.randn(1, w.coarse, 8, 8) * 0.02)
        self.fine_in = res(w.fine, w.fine)
        self.to_coarse = ops.Conv2d(w.fine, w.coarse, 3, stride=2, padding=1)
        self.coarse_in, self.coarse_in_look = res(w.coarse, w.coarse), transformer(w.coarse)
        self.to_deep = ops.Conv2d(w.coarse, w.deep, 3, stride=2, padding=1)
        self.deep_in, self.deep_look = res(w.deep, w.deep), transformer(w.deep)
        self.deep_out = res(w.deep, w.deep)
        self.from_deep = ops.Conv2d(w.deep, 4 * w.coarse, 1)
        self.coarse_out, self.coarse_out_look = res(2 * w.coarse, w.coarse), transformer(w.coarse)
        self.coarse_last, self.coarse_last_look = res(w.coarse, w.coarse), transformer(w.coarse)
        self.from_coarse = ops.Conv2d(w.coarse, 4 * w.fine, 1)
        self.fine_out, self.fine_last = res(2 * w.fine, w.fine), res(w.fine, w.fine)
        self.norm = ops.GroupNorm(8, w.fine)
        self.leave = ops.Conv2d(w.fine, CHANNELS, 3, padding=1)
        start_at_zero(self.leave)
        self.fine_place = nn.Parameter(torch.zeros(1, w.fine, 16, 16))
        self.fine_look = transformer(w.fine)

    def forward(
        self,
        x: Latent,
        timesteps: Float[Tensor, " b"],
        context: Tokens,
        style_tokens: Float[Tensor, "b s d"] | None = None,
        style_gain: Tensor | None = None,
        audio_tokens: Float[Tensor, "b a d"] | None = None,
        audio_gain: Tensor | None = None,
        fine_residual: Tensor | None = None,
        coarse_residual: Tensor | None = None,
    ) -> Latent:
        """timesteps: sigma * 1000. gains: (b, 1, 1, 1). residuals: sums over spatial adapters."""
        streams = [
            Heard(context),
            None if style_tokens is None else Heard(style_tokens, style_gain),
            None if audio_tokens is None else Heard(audio_tokens, audio_gain),
        ]
        rows, columns = x.shape[-2:]
        x = F.pad(x, (0, -columns % 4, 0, -rows % 4), mode="replicate")
        e = F.silu(self._embed(timesteps, streams, x.dtype))

        h = self.enter(x)
        if fine_residual is not None:
            h = h + fit(fine_residual, h)
        fine = self.fine_in(h, e)
        h = self.to_coarse(fine)
        h = h + fit(self.place.to(h), h)
        if coarse_residual is not None:
            h = h + fit(coarse_residual, h)
        coarse = self.coarse_in_look(self.coarse_in(h, e), streams)
        h = self.to_deep(coarse)
        h = self.deep_out(self.deep_look(self.deep_in(h, e), streams), e)
        h = torch.cat([F.pixel_shuffle(self.from_deep(h), 2), coarse], 1)
        h = self.coarse_out_look(self.coarse_out(h, e), streams)
        h = self.coarse_last_look(self.coarse_last(h, e), streams)
        h = torch.cat([F.pixel_shuffle(self.from_coarse(h), 2), fine], 1)
        h = self.fine_out(h, e)
        h = self.fine_look(h + fit(self.fine_place.to(h), h), streams)
        h = self.fine_last(h, e)
        return self.leave(F.silu(self.norm(h)))[..., :rows, :columns]

    def _embed(
        self, timesteps: Tensor, streams: list[Heard | None], dtype: torch.dtype
    ) -> Float[Tensor, "b e"]:
        """Noise level plus the sentence vector, plus the mean of every other stream by its gain."""
        e = self.time(sinusoid(timesteps, 128).to(dtype))
        for index, (project, heard) in enumerate(zip(self.pooled, streams, strict=True)):
            if heard is None:
                continue
            vector = heard.tokens[:, 0] if index == 0 else heard.tokens.mean(1)
            said = project(vector)
            if heard.gain is not None:
                said = said * heard.gain.to(said.dtype)[:, :, 0, 0]
            e = e + said
        return e


def fit(map_: Tensor, like: Tensor) -> Tensor:
    """A map resized to another's rows and columns; the same tensor where it already fits."""
    if map_.shape[-2:] == like.shape[-2:]:
        return map_
    return F.interpolate(map_, like.shape[-2:], mode="bilinear", align_corners=False)
