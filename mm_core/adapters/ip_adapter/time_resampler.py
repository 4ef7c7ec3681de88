"""The projection of InstantX's adapter for SD3.5: a resampler that knows the timestep."""

import math
from types import ModuleType
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from ...types import Float, Tensor, Tokens
from .keys import PROJECTION
from .layout import Layout
from .resampler import PerceiverAttention, feed_forward


class Timed(NamedTuple):
    """Image tokens at one timestep, and the timestep as the layers read it."""

    tokens: Float[Tensor, "b n d"]
    time: Float[Tensor, "b t"]


class TimeLayer(nn.ModuleList):
    """Attention, feed-forward, and what scales and shifts the latents before each of them.

    Its parts are 0, 1 and 2, as in files.
    """

    def __init__(self, layout: Layout, number: int, ops: ModuleType):
        here = f"{PROJECTION}layers.{number}."
        inner, width = layout.shape(f"{here}0.to_q.weight", 2)
        wide = layout.shape(f"{here}1.1.weight", 2)[0]
        change = nn.Sequential(nn.SiLU(), ops.Linear(width, 4 * width))
        super().__init__(
            [PerceiverAttention(width, inner, ops), feed_forward(width, wide, ops), change]
        )

    def forward(
        self, features: Float[Tensor, "b f d"], latents: Tokens, time: Float[Tensor, "b t"]
    ) -> Tokens:
        """time: the embedded timestep. The features are normed, but not scaled or shifted."""
        attention, feed, change = self
        shift1, scale1, shift2, scale2 = change(time)[:, None].chunk(4, -1)
        latents = latents + attention(features, latents, lambda y: y * (1 + scale1) + shift1)
        assert isinstance(feed, nn.Sequential)
        return latents + feed[1:](feed[0](latents) * (1 + scale2) + shift2)


class TimeResampler(nn.Module):
    """Features and timesteps -> image tokens."""

    def __init__(self, layout: Layout, ops: ModuleType):
        super().__init__()
        width, given = layout.shape("image_proj.proj_in.weight", 2)
        out, _ = layout.shape("image_proj.proj_out.weight", 2)
        self.frequencies = layout.shape("image_proj.time_embedding.linear_1.weight", 2)[1]
        self.latents = nn.Parameter(torch.empty(layout.shape("image_proj.latents", 3)))
        self.proj_in = ops.Linear(given, width)
        self.time_embedding = nn.ModuleDict(
            {
                "linear_1": ops.Linear(self.frequencies, width),
                "linear_2": ops.Linear(width, width),
            }
        )
        count = 0
        while f"image_proj.layers.{count}.0.to_q.weight" in layout.shapes:
            count += 1
        self.layers = nn.ModuleList(TimeLayer(layout, i, ops) for i in range(count))
        self.proj_out = ops.Linear(width, out)
        self.norm_out = ops.LayerNorm(out)

    def forward(self, features: Float[Tensor, "b f g"], timestep: Float[Tensor, " b"]) -> Timed:
        """timestep: 0 (picture) to 1000 (noise). It is also added to every projected feature."""
        waves = cosines_and_sines(timestep, self.frequencies).to(features)
        first, second = self.time_embedding["linear_1"], self.time_embedding["linear_2"]
        time = second(F.silu(first(waves)))
        x = self.proj_in(features) + time[:, None]
        latents = self.latents.to(x).expand(len(x), -1, -1)
        for layer in self.layers:
            latents = layer(x, latents, time)
        return Timed(self.norm_out(self.proj_out(latents)), time)


def cosines_and_sines(timestep: Float[Tensor, " b"], width: int) -> Float[Tensor, "b width"]:
    """Cosines, then sines, of periods from 2 pi to 2 pi * 10000. Source: Vaswani et al. 2017."""
    half = width // 2
    steps = torch.arange(half, dtype=torch.float32, device=timestep.device)
    angle = timestep[:, None].float() * torch.exp(-math.log(10000) * steps / half)
    return torch.cat([angle.cos(), angle.sin()], 1)
