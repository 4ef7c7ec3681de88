"""Joints as pose models give them -> people."""

import torch

from ..errors import InputError
from ..types import Float, Tensor
from .control.layouts import COCO_17, WHOLEBODY, body_of_coco
from .control.people import Person, person_of_wholebody

BODY, WHOLE = len(COCO_17), WHOLEBODY["right"][1]


def person(points: Float[Tensor, "k 2"], scores: Float[Tensor, " k"]) -> Person:
    """One person of COCO's 17 joints or COCO-WholeBody's 133, in pixels, each with its score."""
    joints = torch.cat([points, scores[:, None]], 1).double().cpu()
    if len(joints) == BODY:
        return Person(body_of_coco(joints))
    return person_of_wholebody(joints)


def check_joints(joints: int, who: str) -> None:
    """InputError unless joints are as many as one of these has."""
    if joints not in (BODY, WHOLE):
        raise InputError(
            f"{who}: found a model of {joints} joints; needed {BODY} in COCO's order or {WHOLE} in "
            "COCO-WholeBody's: choose a pose model trained on one of these"
        )
