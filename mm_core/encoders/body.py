"""Joints as pose models name them -> POSE_KEYPOINT, as ComfyUI's pose nodes exchange it.

Models give 17 joints in COCO's order, or 133 in that of COCO-WholeBody (Jin et al. 2020, arXiv
2007.11858): body 0-16, feet 17-22, face 23-90, left hand 91-111, right hand 112-132. POSE_KEYPOINT
has OpenPose's 18 joints, with a neck that no COCO model knows.
"""

from collections.abc import Mapping
from typing import Any

import torch

from ..errors import InputError
from ..types import Float, Tensor
from .control.layouts import SEEN

BODY, WHOLE = 17, 133
LEFT_SHOULDER, RIGHT_SHOULDER = 5, 6
NECK = -1  # made of both shoulders
COCO_TO_18 = (0, NECK, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
EYES = (14, 15)  # of the 18: readers of 70 face points expect them after the 68
PARTS = {  # of the 133
    "foot": slice(17, 23),
    "face": slice(23, 91),
    "hand_left": slice(91, 112),
    "hand_right": slice(112, 133),
}
FACE, HAND = 70, 21


def frame(
    points: Float[Tensor, "n k 2"], scores: Float[Tensor, "n k"], height: int, width: int
) -> dict[str, Any]:
    """One frame of POSE_KEYPOINT: n people whose joints are in pixels of a picture.

    A joint with a score above SEEN is (x, y, 1), any other (0, 0, 0): a reader that takes points
    with a confidence of exactly 1 and one that takes those above 0.3 then agree. The scores
    themselves stand under person["scores"], in the order of the points. Hands and face that a
    model does not know are zeros, not None, which some readers cannot draw.
    """
    each = zip(points.float().cpu(), scores.float().cpu(), strict=True)
    people = [person(joints, score) for joints, score in each]
    return {"canvas_width": width, "canvas_height": height, "people": people}


def check_joints(joints: int, who: str) -> None:
    """InputError unless there is a way from this many joints to POSE_KEYPOINT."""
    if joints not in (BODY, WHOLE):
        raise InputError(
            f"{who}: found a model of {joints} joints; needed {BODY} in COCO's order or {WHOLE} in "
            "COCO-WholeBody's: choose a pose model trained on one of these"
        )


def person(points: Float[Tensor, "k 2"], scores: Float[Tensor, " k"]) -> Mapping[str, Any]:
    """One person of a frame."""
    body = body_18(points, scores)
    parts = {"pose": body}
    if len(points) == WHOLE:
        known = torch.cat([points, scores[:, None]], 1)
        parts |= {name: known[part] for name, part in PARTS.items()}
        parts["face"] = torch.cat([parts["face"], body[list(EYES)]])
    else:
        empty = points.new_zeros(FACE, 3)
        parts |= {"face": empty, "hand_left": empty[:HAND], "hand_right": empty[:HAND]}
    found: dict[str, Any] = {f"{name}_keypoints_2d": _flat(p) for name, p in parts.items()}
    return found | {"scores": {name: p[:, 2].tolist() for name, p in parts.items()}}


def body_18(points: Float[Tensor, "k 2"], scores: Float[Tensor, " k"]) -> Float[Tensor, "18 3"]:
    """(x, y, score) of OpenPose's 18 joints from COCO's 17, of which only the first are read.

    The neck is half-way between the shoulders, with the lower of their scores; 0 unless both are
    above SEEN.
    """
    ends = [LEFT_SHOULDER, RIGHT_SHOULDER]
    both = scores[ends].min()
    neck = torch.cat([points[ends].mean(0), (both * (both > SEEN))[None]])
    coco = torch.cat([points[:BODY], scores[:BODY, None]], 1)
    return torch.cat([coco, neck[None]])[list(COCO_TO_18)]


def _flat(part: Float[Tensor, "k 3"]) -> list[float]:
    seen = (part[:, 2:] > SEEN).float()
    # NaN coordinates of a joint that is not seen would survive a product with 0.
    shown = torch.cat([part[:, :2], seen], 1).where(seen > 0, 0.0)
    return shown.flatten().tolist()
