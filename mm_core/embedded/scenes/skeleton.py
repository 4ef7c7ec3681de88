"""Joints -> the rendered skeleton that pose conditioning reads, in the colours of OpenPose BODY_18.

Colours and limb order are the published convention (Cao et al. 2018, arXiv 1812.08008, as rendered
by ControlNet's annotators: limbs at 0.6 of their colour, joints at full colour).
"""

import torch

from ...encoders.control import skeleton as published
from ...types import Float, Tensor
from .attributes import MAP_PIXELS
from .shapes import capsule

LIMBS = published.LIMBS[:13]  # our 14 joints are the first 14 points of BODY_18: indices agree
WHEEL = torch.tensor(published.WHEEL) / 255


def draw_skeleton(
    joints: Float[Tensor, "n 14 2"],
    width: Float[Tensor, " n"],
    limb_level: float = 0.6,
    pixels: int = MAP_PIXELS,
) -> Float[Tensor, "n 3 h w"]:
    """Skeletons on black. joints 0..1; width: half width of a limb as a fraction of the picture."""
    axis = (torch.arange(pixels) + 0.5) / pixels
    y, x = axis[None, :, None], axis[None, None, :]
    out = torch.zeros(len(joints), 3, pixels, pixels)

    def paint(signed: Tensor, rgb: Tensor) -> None:
        alpha = torch.sigmoid(-signed * pixels * 3)[:, None]
        out.mul_(1 - alpha).add_(rgb[None, :, None, None] * alpha)

    for color, (a, b) in zip(WHEEL, LIMBS, strict=False):
        paint(capsule(x, y, joints[:, a], joints[:, b], width), limb_level * color)
    for color, joint in zip(WHEEL, joints.unbind(1), strict=False):
        paint(capsule(x, y, joint, joint, width * 1.1), color)
    return out


def draw_people(
    people: Float[Tensor, "n 18 3"], width: float = 0.014, seen: float = 0.3
) -> Float[Tensor, "1 3 h w"]:
    """All people of one picture, first at the back. x, y in 0..1, then confidence.

    Points below `seen`, and limbs that end in one, are not drawn. Points after the first 14 (eyes
    and ears) are not part of this model's skeleton.
    """
    axis = (torch.arange(MAP_PIXELS) + 0.5) / MAP_PIXELS
    y, x = axis[None, :, None], axis[None, None, :]
    out = torch.zeros(1, 3, MAP_PIXELS, MAP_PIXELS)
    half = torch.tensor([width])

    def paint(a: Tensor, b: Tensor, rgb: Tensor, wide: Tensor) -> None:
        alpha = torch.sigmoid(-capsule(x, y, a[None], b[None], wide) * MAP_PIXELS * 3)[:, None]
        out.mul_(1 - alpha).add_(rgb[None, :, None, None] * alpha)

    for person in people:
        points, shown = person[:14, :2], person[:14, 2] >= seen
        for color, (a, b) in zip(WHEEL, LIMBS, strict=False):
            if shown[a] and shown[b]:
                paint(points[a], points[b], 0.6 * color, half)
        for color, point, there in zip(WHEEL, points, shown, strict=False):
            if there:
                paint(point, point, color, half * 1.1)
    return out
