"""Writes docs/images/control_maps.png: one made-up room as every control picture.

Run from the pack's folder: python scripts/make_control_pictures.py
"""

import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).absolute().parents[1]))

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw

from mm_core.encoders.control.depth import depth_map
from mm_core.encoders.control.layouts import face_of_68
from mm_core.encoders.control.palette import ADE20K, COCO, paint
from mm_core.encoders.control.people import Frame, Person
from mm_core.encoders.control.skeleton import LIMBS, draw_frame
from mm_core.encoders.pictures import to_image

OUT = Path(__file__).absolute().parents[1] / "docs" / "images" / "control_maps.png"
SIDE, CAPTION, GAP = 320, 22, 8
CLOSE = 3  # how many times larger people are drawn; two thirds of it are shown, at half size
FOCAL = 1.05  # of the picture's side
THINGS = {  # what it is called in ADE20K and in COCO
    "wall": ("wall", "wall-other-merged"),
    "floor": ("floor", "floor-wood"),
    "window": ("window", "window-other"),
    "table": ("table", "dining table"),
    "ball": ("ball", "sports ball"),
    "person": ("person", "person"),
    "branch": ("tree", "tree-merged"),
}
NAMES = list(THINGS)
# BODY_18 in metres from the camera: right, down, ahead.
BODY = np.array([
    [0.05, -0.62, 2.55], [0.05, -0.38, 2.62], [-0.13, -0.38, 2.62], [-0.36, -0.26, 2.5],
    [-0.42, -0.55, 2.3], [0.23, -0.38, 2.62], [0.40, -0.14, 2.6], [0.47, 0.10, 2.5],
    [-0.07, 0.20, 2.65], [-0.10, 0.62, 2.6], [-0.12, 1.05, 2.68], [0.17, 0.20, 2.65],
    [0.22, 0.62, 2.55], [0.25, 1.05, 2.6], [0.01, -0.66, 2.54], [0.09, -0.66, 2.54],
    [-0.04, -0.63, 2.62], [0.14, -0.63, 2.62],
])  # fmt: skip


def room():
    """Metres (h, w), 0 where there is no reading, and which of NAMES is seen."""
    axis = ((np.arange(SIDE) + 0.5) / SIDE - 0.5) / FOCAL
    x, y = axis[None, :], axis[:, None]
    metres = np.full((SIDE, SIDE), 6.0)
    seen = np.full((SIDE, SIDE), NAMES.index("wall"))

    def put(name, ahead, where):
        nearer = where & (ahead < metres)
        metres[nearer] = np.broadcast_to(ahead, metres.shape)[nearer]
        seen[nearer] = NAMES.index(name)

    put("window", np.full_like(metres, 5.99), (abs(x * 6 + 1.6) < 0.7) & (abs(y * 6 + 1.1) < 0.8))
    put("floor", 1.15 / np.maximum(y + 0 * x, 1e-9), y + 0 * x > 0)
    for ahead in np.arange(3.4, 4.4, 0.02):  # a table's side, slice by slice
        put("table", np.full_like(metres, ahead),
            (abs(x * ahead - 1.25) < 0.55) & (y * ahead > 0.35) & (y * ahead < 1.15))  # fmt: skip
    ball(put, x, y, "ball", (-1.0, 0.83, 2.9), 0.32)
    for a, b in LIMBS[:13]:
        for share in np.linspace(0, 1, 14):
            thick = 0.13 if {a, b} & {8, 11} and 1 in (a, b) else 0.065
            ball(put, x, y, "person", BODY[a] * (1 - share) + BODY[b] * share, thick)
    ball(put, x, y, "person", BODY[0] + [0, -0.03, 0.08], 0.14)
    bow = y + 0.33 + 0.04 * np.sin(9 * x)
    put("branch", np.full_like(metres, 0.7), (abs(bow) < 0.012) & (x > 0.1))
    metres[20:60, 10:40] = 0  # a reflection, say: the sensor saw nothing
    return torch.from_numpy(metres).float()[None, None], torch.from_numpy(seen)[None]


def ball(put, x, y, name, center, radius):
    """Ray and sphere: the nearer root of a quadratic in the distance ahead."""
    cx, cy, cz = center
    a, b = x**2 + y**2 + 1, x * cx + y * cy + cz
    inner = b**2 - a * (cx**2 + cy**2 + cz**2 - radius**2)
    put(name, (b - np.sqrt(np.maximum(inner, 0))) / a, inner > 0)


def projected(points):
    """Metres to pixels, all of them seen."""
    at = (points[:, :2] / points[:, 2:] * FOCAL + 0.5) * CLOSE * SIDE
    return torch.from_numpy(np.concatenate([at, np.ones((len(at), 1))], 1))


def hand(wrist, elbow, side):
    """21 points: fingers of four bones, spread about the forearm's direction."""
    ahead = math.atan2(*(wrist - elbow)[[1, 0]])
    points = [wrist]
    for finger, spread in enumerate((-0.9, -0.4, -0.1, 0.2, 0.5)):
        reach = np.array([0.04, 0.09, 0.12, 0.145] if finger == 0 else [0.1, 0.15, 0.18, 0.205])
        angle = ahead + side * spread
        for r in 1.25 * reach:
            points.append(wrist + r * np.array([math.cos(angle), math.sin(angle), 0]))
    return projected(np.array(points))


def face(center):
    """68 landmarks in their usual order: jaw, brows, nose, eyes, mouth."""

    def arc(n, x, y, wide, high, start, end):
        t = np.radians(np.linspace(start, end, n))
        return np.stack([x + wide * np.cos(t), y + high * np.sin(t), 0 * t], 1)

    parts = [
        arc(17, 0, -0.02, 0.1, 0.14, 180, 0),
        arc(5, -0.05, -0.055, 0.035, 0.02, 200, 340), arc(5, 0.05, -0.055, 0.035, 0.02, 200, 340),
        np.stack([np.zeros(4), np.linspace(-0.03, 0.02, 4), np.zeros(4)], 1),
        arc(5, 0, 0.02, 0.025, 0.012, 170, 10),
        arc(6, -0.045, -0.03, 0.02, 0.01, 180, 480), arc(6, 0.045, -0.03, 0.02, 0.01, 180, 480),
        arc(12, 0, 0.07, 0.045, 0.02, 180, 510), arc(8, 0, 0.07, 0.03, 0.008, 180, 495),
    ]  # fmt: skip
    return projected(center + np.concatenate(parts))


def person():
    body = projected(BODY)
    looks = face_of_68(face(BODY[0] + [0, 0.01, 0]), body)
    right, left = hand(BODY[4], BODY[3], 1), hand(BODY[7], BODY[6], -1)
    somebody = Person(body, face=looks, left_hand=left, right_hand=right)
    drawn = draw_frame(Frame(CLOSE * SIDE, CLOSE * SIDE, (somebody,)))
    return F.avg_pool2d(drawn[..., 100 : 100 + 2 * SIDE, 180 : 180 + 2 * SIDE], 2)


def panels():
    metres, seen = room()
    ade, coco = (
        torch.tensor([p.index(names[k]) for names in THINGS.values()])[seen]
        for k, p in enumerate((ADE20K, COCO))
    )
    fixed = depth_map(metres, "metres", "fixed", low=2.0, high=8.0)
    return [
        ("depth, min-max", depth_map(metres, "metres")),
        ("depth, percentiles 2 to 98", depth_map(metres, "metres", "percentile")),
        ("depth, fixed, 2 m to 8 m", fixed),
        ("pose with hands and face, from near", person()),
        ("segmentation, ADE20K", paint(ade, ADE20K)),
        ("segmentation, COCO", paint(coco, COCO)),
    ]


def sheet(shown, columns=3):
    rows = -(-len(shown) // columns)
    across, down = SIDE + GAP, SIDE + CAPTION + GAP
    out = Image.new("RGB", (columns * across + GAP, rows * down + GAP), "white")
    write = ImageDraw.Draw(out)
    for k, (caption, picture) in enumerate(shown):
        x, y = GAP + k % columns * across, GAP + k // columns * down
        write.text((x, y + 3), caption, fill="black", font_size=14)
        out.paste(to_image(picture[0]), (x, y + CAPTION))
    return out


if __name__ == "__main__":
    sheet(panels()).save(OUT, optimize=True)
    print(OUT)
