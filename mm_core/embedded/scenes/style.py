"""The style of a scene: a texture family in two colours."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from ...types import Float, Int, Tensor
from .attributes import FAMILIES, PIXELS
from .random import integers, uniform


@dataclass(frozen=True)
class Style:
    """n styles. frequency in cycles per picture, angle and phase in radians, colours RGB 0..1."""

    family: Int[Tensor, " n"]
    first: Float[Tensor, "n 3"]
    second: Float[Tensor, "n 3"]
    frequency: Float[Tensor, " n"]
    angle: Float[Tensor, " n"]
    phase: Float[Tensor, " n"]

    def palette(self) -> Float[Tensor, "n 6"]:
        """Both colours, the darker one first, since a texture has no first colour."""
        swap = (self.first.mean(1) > self.second.mean(1))[:, None]
        dark = torch.where(swap, self.second, self.first)
        light = torch.where(swap, self.first, self.second)
        return torch.cat([dark, light], 1)


def sample_style(rng: torch.Generator, n: int) -> Style:
    """n styles whose two colours are near in hue and apart in brightness."""
    hue, saturation = uniform(rng, n, 0.0, 1.0), uniform(rng, n, 0.12, 0.6)
    value = uniform(rng, n, 0.45, 0.95)
    step = uniform(rng, n, 0.24, 0.4)
    other = torch.where(value > 0.7, value - step, value + step).clamp(0.15, 1)
    return Style(
        family=integers(rng, n, len(FAMILIES)),
        first=hsv_to_rgb(hue, saturation, value),
        second=hsv_to_rgb(
            (hue + uniform(rng, n, -0.22, 0.22)) % 1, uniform(rng, n, 0.1, 0.6), other
        ),
        frequency=uniform(rng, n, 3.0, 5.5),
        angle=uniform(rng, n, 0.0, math.pi),
        phase=uniform(rng, n, 0.0, 2 * math.pi),
    )


def hsv_to_rgb(
    hue: Float[Tensor, " n"], saturation: Float[Tensor, " n"], value: Float[Tensor, " n"]
) -> Float[Tensor, "n 3"]:
    """Everything in 0..1. Source: Smith 1978, Color gamut transform pairs."""
    k = torch.stack([(hue * 6 + 5) % 6, (hue * 6 + 3) % 6, (hue * 6 + 1) % 6], -1)
    ramp = torch.minimum(k, 4 - k).clamp(0, 1)
    return value[:, None] * (1 - saturation[:, None] * ramp)


def texture(style: Style) -> Float[Tensor, "n h w"]:
    """How much of the second colour is where, 0..1."""
    axis = (torch.arange(PIXELS) + 0.5) / PIXELS - 0.5
    y, x = axis[:, None], axis[None, :]
    out = torch.zeros(len(style.family), PIXELS, PIXELS)
    for family, draw in enumerate(_DRAW):
        rows = (style.family == family).nonzero()[:, 0]
        if len(rows) == 0:
            continue
        cos, sin, f, phase = (
            v[rows, None, None]
            for v in (style.angle.cos(), style.angle.sin(), style.frequency, style.phase)
        )
        out[rows] = draw(x * cos + y * sin, y * cos - x * sin, f, phase)
    return out


def _edge(wave: Tensor, frequency: Tensor, sharpness: float = 1.0) -> Tensor:
    """A wave turned into two levels with an edge about one pixel wide."""
    return torch.sigmoid(wave * sharpness * PIXELS / frequency / (2 * math.pi) * 2.2)


def _gradient(u: Tensor, v: Tensor, f: Tensor, phase: Tensor) -> Tensor:
    return (u * 0.75 + 0.5).clamp(0, 1)


def _stripes(u: Tensor, v: Tensor, f: Tensor, phase: Tensor) -> Tensor:
    return _edge(torch.sin(2 * math.pi * f * u + phase), f)


def _checks(u: Tensor, v: Tensor, f: Tensor, phase: Tensor) -> Tensor:
    k = 2 * math.pi * f * 0.6
    return _edge(torch.sin(k * u + phase) * torch.sin(k * v + phase), f, 1.6)


def _dots(u: Tensor, v: Tensor, f: Tensor, phase: Tensor) -> Tensor:
    grid = f * 0.95
    du = torch.remainder(u * grid + phase, 1) - 0.5
    dv = torch.remainder(v * grid + phase, 1) - 0.5
    return torch.sigmoid((0.3 - (du**2 + dv**2).sqrt()) * PIXELS / grid * 2)


def _waves(u: Tensor, v: Tensor, f: Tensor, phase: Tensor) -> Tensor:
    return _edge(
        torch.sin(2 * math.pi * f * u + phase + 1.6 * torch.sin(2 * math.pi * 2.2 * v + phase)), f
    )


def _rings(u: Tensor, v: Tensor, f: Tensor, phase: Tensor) -> Tensor:
    radius = ((u + 0.25 * phase.cos()) ** 2 + (v + 0.25 * phase.sin()) ** 2).sqrt()
    return _edge(torch.sin(2 * math.pi * f * radius), f)


_DRAW: tuple[Callable[[Tensor, Tensor, Tensor, Tensor], Tensor], ...] = (
    _gradient, _stripes, _checks, _dots, _waves, _rings
)  # fmt: skip
