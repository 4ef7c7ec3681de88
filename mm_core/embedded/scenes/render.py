"""Content and style -> picture, depth and segmentation, all exact and anti-aliased.

Depth can be seen in the picture: far things fade into the style's mean colour, near ones cast a
darker shadow, and the ground is brighter where it is nearer. Without such cues nothing that looks
only at the picture could measure depth.
"""

import torch
import torch.nn.functional as F

from ...types import Float, Int, Picture, Tensor
from .attributes import COLOR_RGB, FRAME_PIXELS, NOTE_RGB, PIXELS
from .content import Content
from .figure import part_distances
from .shapes import DISTANCES
from .style import Style, texture

SKIN = torch.tensor([0.93, 0.74, 0.58])
TROUSERS = torch.tensor([0.16, 0.18, 0.32])
FRAME_DARK = 0.08


def render(
    style: Style, content: Content
) -> tuple[Picture, Float[Tensor, "n 1 h w"], Int[Tensor, "n h w"]]:
    """Pictures, nearness maps (0 far, 1 near) and segment indices, all PIXELS wide."""
    n = len(content.kind)
    axis = (torch.arange(PIXELS) + 0.5) / PIXELS
    cover = texture(style)[:, None]
    depth = content.ground[:, :1, None] * (1 - axis[None, :, None])
    depth = (depth + content.ground[:, 1:, None] * axis[None, :, None]).expand(n, PIXELS, PIXELS)
    picture = _column(style.first) * (1 - cover) + _column(style.second) * cover
    picture = picture * (0.8 + 0.8 * depth[:, None])
    mist = _column((style.first + style.second) / 2)

    distance, color = _things(content)
    segment = torch.zeros(n, PIXELS, PIXELS, dtype=torch.long)
    rows = torch.arange(n)
    for rank in range(3):  # far to near
        thing = content.nearness.argsort(1)[:, rank]
        near = content.nearness[rows, thing][:, None, None]
        inside = distance[rows, thing]
        present = content.has[rows, thing].float()[:, None, None]
        alpha = torch.sigmoid(-inside * PIXELS * 3) * present
        shadow = torch.sigmoid(-(inside - 0.012) * PIXELS * 0.55) * present
        shadow = F.pad(shadow, (4, 0, 4, 0))[:, :PIXELS, :PIXELS]
        picture = picture * (1 - 0.38 * near * shadow)[:, None]
        fade = (0.45 * (1 - near))[:, None]
        shown = color[rows, thing] * (1 - fade) + mist * fade
        picture = picture * (1 - alpha[:, None]) + shown * alpha[:, None]
        depth = depth * (1 - alpha) + near * alpha
        label = torch.where(
            thing == 2, len(DISTANCES) + 1, content.shape[rows, thing.clamp(max=1)] + 1
        )
        segment = torch.where(alpha > 0.5, label[:, None, None], segment)
    picture = _frame(picture, content.note, content.timbre)
    return picture.clamp(0, 1), depth[:, None].clamp(0, 1), segment


def _column(rgb: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3 1 1"]:
    return rgb[:, :, None, None]


def _things(content: Content) -> tuple[Tensor, Tensor]:
    """Signed distances (n, 3, h, w) and colours (n, 3, 3, h, w) of both objects and the person."""
    n = len(content.kind)
    axis = (torch.arange(PIXELS) + 0.5) / PIXELS
    distance = torch.full((n, 3, PIXELS, PIXELS), 9.0)
    color = torch.zeros(n, 3, 3, PIXELS, PIXELS)
    for slot in range(2):
        for shape, signed_distance in enumerate(DISTANCES):
            i = (content.has[:, slot] & (content.shape[:, slot] == shape)).nonzero()[:, 0]
            if len(i) == 0:
                continue
            radius = content.radius[i, slot, None, None]
            u = (axis[None, None, :] - content.center[i, slot, 0, None, None]) / radius
            v = -(axis[None, :, None] - content.center[i, slot, 1, None, None]) / radius
            distance[i, slot] = signed_distance(u, v) * radius
            light = (1.1 - 0.3 * ((u + 0.35) ** 2 + (v - 0.35) ** 2).sqrt()).clamp(0.6, 1.1)
            gloss = 0.4 * torch.exp(-7 * ((u + 0.35) ** 2 + (v - 0.4) ** 2))
            base = _column(COLOR_RGB[content.color[i, slot]])
            color[i, slot] = base * (light * (1 - gloss))[:, None] + gloss[:, None]
    i = content.has[:, 2].nonzero()[:, 0]
    if len(i):
        parts = part_distances(content.joints[i], content.scale[i])
        distance[i, 2] = torch.stack(list(parts.values())).amin(0)
        body = _column(TROUSERS[None]).expand(len(i), 3, PIXELS, PIXELS)
        shirt = _column(COLOR_RGB[content.shirt[i]])
        skin = _column(SKIN[None])
        for names, paint in ((("arms", "torso"), shirt), (("hands",), skin), (("head",), skin)):
            signed = torch.stack([parts[name] for name in names]).amin(0)
            alpha = torch.sigmoid(-signed * PIXELS * 2.5)[:, None]
            body = body * (1 - alpha) + paint * alpha
        color[i, 2] = body
    return distance, color


def _frame(picture: Picture, note: Int[Tensor, " n"], timbre: Int[Tensor, " n"]) -> Picture:
    """Draws the frame: hue by pitch; solid, dashed or rimmed by timbre; none in silence."""
    ring = torch.zeros(PIXELS, PIXELS, dtype=torch.bool)
    edge = torch.arange(PIXELS)
    border = (edge < FRAME_PIXELS) | (edge >= PIXELS - FRAME_PIXELS)
    outer = (edge < FRAME_PIXELS // 2) | (edge >= PIXELS - FRAME_PIXELS // 2)
    ring = border[:, None] | border[None, :]
    cell = edge // FRAME_PIXELS
    dark = torch.stack(
        [
            torch.zeros_like(ring),
            (cell[:, None] + cell[None, :]) % 2 == 1,
            ~(outer[:, None] | outer[None, :]),
        ]
    )[timbre.clamp(min=0)]
    ink = NOTE_RGB[note.clamp(min=0)][:, :, None, None]
    frame = torch.where(dark[:, None], FRAME_DARK, ink)
    shown = ring & (note >= 0)[:, None, None]
    return torch.where(shown[:, None], frame, picture)
