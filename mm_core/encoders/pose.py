"""POSE_KEYPOINT JSON, as ComfyUI and controlnet_aux write it -> joints.

Point order is OpenPose BODY_18. Both coordinate conventions are read: pixels of the canvas, and
0..1 where no coordinate exceeds 1.
"""

import json
import math
from pathlib import Path
from typing import Any

import torch

from ..errors import InputError
from ..types import Float, Tensor
from .files import check_file

POINTS = 18
SEEN = 0.3  # confidence from which a point counts
HOW = "needed POSE_KEYPOINT JSON: people with 18 pose_keypoints_2d triples, or 25 in BODY_25"
BODY_25_TO_18 = (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)


def read_keypoints(path: Path) -> Float[Tensor, "people 18 3"]:
    """People of the first frame in a JSON file: as people() gives them."""
    check_file(path, "a JSON file")
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as e:
        raise InputError(f"{path}: cannot be read ({e.strerror}); check the path") from e
    except (ValueError, RecursionError) as e:
        raise InputError(f"{path}: not JSON ({e}); {HOW}") from e
    return people(data, str(path))


def people(data: Any, source: str) -> Float[Tensor, "people 18 3"]:
    """People of the first frame of POSE_KEYPOINT data: (n, 18, [x, y, confidence]).

    x and y in 0..1 of the canvas' central square, which is what is read of a picture, too.
    """
    frame = data[0] if isinstance(data, list) and data else data
    if not isinstance(frame, dict) or "people" not in frame:
        found = sorted(frame) if isinstance(frame, dict) else type(frame).__name__
        raise InputError(f"{source}: found {found}; {HOW}")
    try:
        width, height = float(frame["canvas_width"]), float(frame["canvas_height"])
        bodies = [_body(p["pose_keypoints_2d"]) for p in frame["people"]]
    except (KeyError, TypeError, ValueError, OverflowError) as e:
        raise InputError(f"{source}: damaged keypoints ({e}); {HOW}") from e
    if not bodies:
        raise InputError(f"{source}: there is no person in the first frame; {HOW}")
    if not (math.isfinite(width) and math.isfinite(height) and width > 0 and height > 0):
        raise InputError(f"{source}: the canvas is {width} x {height}; {HOW}")
    out = torch.stack(bodies)
    if not torch.isfinite(out).all():
        raise InputError(f"{source}: a coordinate is not a finite number; {HOW}")
    seen = out[..., 2] >= SEEN
    if float(out[..., :2][seen].abs().max() if seen.any() else 0) <= 1:
        out = out * torch.tensor([width, height, 1.0])
    side = min(width, height)
    corner = torch.tensor([(width - side) / 2, (height - side) / 2, 0.0])
    out = (out - corner) / torch.tensor([side, side, 1.0])
    if not torch.isfinite(out).all():
        raise InputError(f"{source}: no points fit a canvas of {width:g} x {height:g}; {HOW}")
    return out


def _body(flat: Any) -> Float[Tensor, "18 3"]:
    numbers = [float(v or 0) for v in flat]
    if not numbers or len(numbers) % 3:
        raise ValueError(f"{len(numbers)} numbers")
    values = torch.tensor(numbers).view(-1, 3)
    if len(values) == 25:
        values = values[list(BODY_25_TO_18)]
    if len(values) != POINTS:
        raise ValueError(f"{len(values)} points")
    return values
