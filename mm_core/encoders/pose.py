"""POSE_KEYPOINT JSON, as ComfyUI and controlnet_aux write it -> joints.

Point order is OpenPose BODY_18. Both coordinate conventions are read: pixels of the canvas, and
0..1 where no coordinate exceeds 1.
"""

import json
from pathlib import Path
from typing import Any

import torch

from ..errors import InputError
from ..types import Float, Tensor
from .control.keypoints import (
    NEEDED,
    UNSIZED,
    Unsized,
    are_shares,
    canvas_of,
    check_inside,
    damaged,
    open_frame,
    part_of,
)
from .control.layouts import body_of_25
from .files import check_file


def read_keypoints(path: Path, unsized: Unsized = UNSIZED) -> Float[Tensor, "people 18 3"]:
    """People of the first frame in a JSON file: as people() gives them."""
    return people(read_json(path), str(path), unsized)


def read_json(path: Path) -> Any:
    """What a file of POSE_KEYPOINT JSON holds."""
    check_file(path, "a JSON file")
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as e:
        raise InputError(f"{path}: cannot be read ({e.strerror}); check the path") from e
    except (ValueError, RecursionError) as e:
        raise InputError(f"{path}: not JSON ({e}); {NEEDED}") from e


def people(data: Any, source: str, unsized: Unsized = UNSIZED) -> Float[Tensor, "people 18 3"]:
    """People of the first frame of POSE_KEYPOINT data: (n, 18, [x, y, confidence]).

    x and y in 0..1 of the canvas' central square, which is what is read of a picture, too.
    """
    frame = open_frame(data[0] if isinstance(data, list) and data else data, source)
    width, height = canvas_of(frame, source, unsized)
    if not isinstance(frame["people"], list):
        raise damaged(source, f"people is {type(frame['people']).__name__}")
    bodies = [
        body_of_25(body) if len(body) == 25 else body
        for i, person in enumerate(frame["people"], 1)
        if (body := part_of(person, "body", source, i)) is not None
    ]
    if not bodies:
        raise InputError(f"{source}: there is no person in the first frame; {NEEDED}")
    out = torch.stack(bodies)
    if not torch.isfinite(out).all():
        raise InputError(f"{source}: a coordinate is not a finite number; {NEEDED}")
    check_inside(bodies, frame, source, unsized.size)
    if are_shares(bodies):
        out = out * out.new_tensor([width, height, 1.0])
    side = min(width, height)
    corner = out.new_tensor([(width - side) / 2, (height - side) / 2, 0.0])
    out = ((out - corner) / out.new_tensor([side, side, 1.0])).float()
    if not torch.isfinite(out).all():
        raise InputError(f"{source}: no points fit a canvas of {width:g} x {height:g}; {NEEDED}")
    return out
