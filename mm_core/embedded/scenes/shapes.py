"""Signed distances of the object shapes in a frame where the object has radius about 1, v up."""

import math
from collections.abc import Callable

import torch

from ...types import Tensor


def capsule(x: Tensor, y: Tensor, start: Tensor, end: Tensor, radius: Tensor) -> Tensor:
    """(n, 2) ends and (n,) radius -> (n, h, w) signed distance of a rounded stick."""
    along = end - start
    length2 = (along * along).sum(-1).clamp(min=1e-6)

    def grid(v: Tensor) -> Tensor:
        return v[:, None, None]

    dx, dy = x - grid(start[:, 0]), y - grid(start[:, 1])
    t = (dx * grid(along[:, 0] / length2) + dy * grid(along[:, 1] / length2)).clamp_(0, 1)
    ex, ey = dx - t * grid(along[:, 0]), dy - t * grid(along[:, 1])
    return (ex * ex + ey * ey).sqrt_() - grid(radius)


def _circle(u: Tensor, v: Tensor) -> Tensor:
    return (u * u + v * v).sqrt() - 1


def _square(u: Tensor, v: Tensor) -> Tensor:
    return torch.maximum(u.abs(), v.abs()) - 0.86


def _triangle(u: Tensor, v: Tensor) -> Tensor:
    v = v + 0.1
    return torch.maximum(0.866 * u.abs() + 0.5 * v, -v) - 0.58


def _star(u: Tensor, v: Tensor) -> Tensor:
    fifth = math.pi / 5
    radius = (u * u + v * v).sqrt()
    angle = torch.remainder(torch.atan2(u, v) + fifth, 2 * fifth) - fifth
    x, y = radius * angle.cos(), radius * angle.sin().abs()
    tip, notch = 1.12, 0.45
    ex, ey = notch * math.cos(fifth) - tip, notch * math.sin(fifth)
    return ((x - tip) * ey - y * ex) / math.hypot(ex, ey)


def _ring(u: Tensor, v: Tensor) -> Tensor:
    return ((u * u + v * v).sqrt() - 0.74).abs() - 0.25


def _heart(u: Tensor, v: Tensor) -> Tensor:
    lobe = 0.6
    v = v + 0.12
    q = lobe / math.sqrt(2)
    diamond = (u.abs() + v.abs() - lobe * math.sqrt(2)) / math.sqrt(2)
    return torch.minimum(diamond, ((u.abs() - q) ** 2 + (v - q) ** 2).sqrt() - lobe)


DISTANCES: tuple[Callable[[Tensor, Tensor], Tensor], ...] = (
    _circle, _square, _triangle, _star, _ring, _heart
)  # fmt: skip
"""In the order of attributes.SHAPES."""
