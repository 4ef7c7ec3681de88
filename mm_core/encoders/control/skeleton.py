"""People -> the picture of coloured bones that pose ControlNets were trained on.

Colours, order and sizes are the published convention (ControlNet's annotators, after Cao et al.
2018, arXiv 1812.08008): every pixel is the one that they paint.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from ...errors import InputError
from ...types import Float, Picture, Tensor
from .face import draw_face
from .hands import draw_hand
from .layouts import SEEN
from .people import SIZES, Frame, Person
from .raster import Canvas, Color, ellipse, fill_disc, fill_polygon, inside, pixels_of, places_of

# By number of BODY_18. Limb k has colour k, and so has point k.
LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12),
    (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
_HEX = (
    "ff0000 ff5500 ffaa00 ffff00 aaff00 55ff00 00ff00 00ff55 00ffaa "
    "00ffff 00aaff 0055ff 0000ff 5500ff aa00ff ff00ff ff00aa ff0055"
)
WHEEL: tuple[Color, ...] = tuple((c[0], c[1], c[2]) for c in map(bytes.fromhex, _HEX.split()))
STICK = 4  # half the width of a limb, and the radius of a joint, in pixels


@dataclass(frozen=True)
class Drawing:
    """How people are drawn.

    limb_level: a limb's colour as a share of its joint's; 0.6 is what ControlNets were shown.
    scaled: limbs wider on large canvases, for xinsir's ControlNets.
    seen: confidence from which a point is drawn.
    feet: discs; no published ControlNet was shown them.
    like_core: as ComfyUI's own node draws: no point whose centre lies outside, no limb shorter
    than a pixel, no eyes in the face.
    """

    limb_level: float = 0.6
    scaled: bool = False
    seen: float = SEEN
    body: bool = True
    hands: bool = True
    face: bool = True
    feet: bool = False
    like_core: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.limb_level <= 1:
            raise InputError(f"the limbs' level is {self.limb_level}; needed a share from 0 to 1")
        if not 0 < self.seen <= 1:
            raise InputError(
                f"points count from confidence {self.seen}; needed more than 0 and at most 1"
            )


ANNOTATORS = Drawing()
XINSIR = Drawing(scaled=True)
CORE = Drawing(limb_level=1.0, like_core=True)


def draw_frames(frames: Iterable[Frame], drawing: Drawing = ANNOTATORS) -> Picture:
    """One picture a frame, black where nobody is. All canvases must have one size."""
    drawn = [draw_frame(frame, drawing) for frame in frames]
    sizes = sorted({f"{p.shape[-1]} x {p.shape[-2]}" for p in drawn})
    if len(sizes) != 1:
        raise InputError(f"found canvases of {', '.join(sizes) or 'no frame'}; needed one size")
    return torch.cat(drawn)


def draw_frame(frame: Frame, drawing: Drawing = ANNOTATORS) -> Float[Tensor, "1 3 h w"]:
    """The people of one frame, first at the back."""
    canvas = np.zeros((frame.height, frame.width, 3), np.uint8)
    for person in frame.people:
        _draw_person(canvas, person, drawing)
    return torch.from_numpy(canvas).permute(2, 0, 1)[None].float() / 255


def stick_scale(width: int, height: int) -> int:
    """How many times wider xinsir's limbs are on a canvas of this size."""
    side = max(width, height)
    return 1 if side < 500 else min(2 + side // 1000, 7)


def _draw_person(canvas: Canvas, person: Person, drawing: Drawing) -> None:
    seen, clip = drawing.seen, drawing.like_core
    if drawing.body:
        _draw_limbs(canvas, person.body, drawing)
        _draw_joints(canvas, person.body, drawing)
    if drawing.feet:
        _draw_joints(canvas, person.part("feet"), drawing)
    if drawing.hands:
        draw_hand(canvas, person.part("left_hand"), seen, clip)
        draw_hand(canvas, person.part("right_hand"), seen, clip)
    if drawing.face:
        face = person.part("face")
        eyes = drawing.like_core and len(face) == SIZES["face"]  # which core leaves to the body
        draw_face(canvas, face[:-2] if eyes else face, seen, clip)


def _draw_limbs(canvas: Canvas, body: Float[Tensor, "18 3"], drawing: Drawing) -> None:
    wide = STICK * (stick_scale(canvas.shape[1], canvas.shape[0]) if drawing.scaled else 1)
    points = places_of(body, drawing.seen)
    for (i, j), color in zip(LIMBS, WHEEL, strict=False):
        a, b = points[i], points[j]
        if a is None or b is None:
            continue
        length = math.dist(a, b)
        if drawing.like_core and length < 1:
            continue
        center = int((a[0] + b[0]) / 2), int((a[1] + b[1]) / 2)
        turn = int(math.degrees(math.atan2(a[1] - b[1], a[0] - b[0])))
        polygon = ellipse(center, (int(length / 2), wide), turn)
        fill_polygon(canvas, polygon, _dimmed(color, drawing.limb_level))


def _draw_joints(canvas: Canvas, points: Float[Tensor, "n 3"], drawing: Drawing) -> None:
    for point, color in zip(pixels_of(points, drawing.seen), WHEEL, strict=False):
        if point and (inside(canvas, point) or not drawing.like_core):
            fill_disc(canvas, point, STICK, color)


def _dimmed(color: Color, level: float) -> Color:
    return int(color[0] * level), int(color[1] * level), int(color[2] * level)
