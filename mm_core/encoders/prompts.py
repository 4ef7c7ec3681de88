"""What Segment Anything is asked: points and boxes in a picture, checked."""

from dataclasses import dataclass

import torch

from ..errors import InputError
from ..types import Float, Picture, Tensor


@dataclass(frozen=True)
class Prompted:
    """Pictures, and where the things are that are asked for, alike in each.

    points (n, 3): x and y in pixels, and 1 where the thing is or 0 where it is not; all of them
    are about one thing. boxes (k, 4): corners in pixels, one thing each. Both: about one thing.
    """

    pictures: Picture
    points: Float[Tensor, "n 3"] | None = None
    boxes: Float[Tensor, "k 4"] | None = None


@dataclass(frozen=True)
class Thing:
    """What one call of the decoder is asked: n things, by points, boxes or both."""

    points: Float[Tensor, "n p _"] | None
    boxes: Float[Tensor, "n 4"] | None


def things(asked: Prompted, who: str) -> list[Thing]:
    """One prompt for each thing; none where everything is asked for. Checked."""
    points, boxes = asked.points, asked.boxes
    height, width = asked.pictures.shape[-2:]
    if points is not None and (
        points.shape[0] == 0
        or not torch.isfinite(points).all()
        or not ((points[:, 2] == 0) | (points[:, 2] == 1)).all()
    ):
        raise InputError(
            f"{who}: found points {points.tolist()}; needed at least one, each x and y in pixels "
            "and 1 (is part of it) or 0 (is not)"
        )
    if points is not None and ((points[:, :2] < 0).any() or _beyond(points[:, :2], height, width)):
        raise InputError(
            f"{who}: found a point outside the picture of {width} x {height} pixels; needed "
            "points in its pixels: check which size they were made for"
        )
    if boxes is not None and (
        boxes.shape[0] == 0
        or not torch.isfinite(boxes).all()
        or not (boxes[:, 2:] > boxes[:, :2]).all()
    ):
        raise InputError(
            f"{who}: found boxes {boxes.tolist()}; needed at least one, as corners in pixels: "
            "left, top, right, bottom"
        )
    if boxes is not None and (_beyond(boxes[:, :2], height, width) or (boxes[:, 2:] <= 0).any()):
        raise InputError(
            f"{who}: found a box outside the picture of {width} x {height} pixels; needed boxes "
            "over its pixels: check which size they were made for"
        )
    if points is not None and boxes is not None:
        if len(boxes) != 1:
            raise InputError(
                f"{who}: found points and {len(boxes)} boxes; points are about one thing: needed "
                "one box with them, or boxes alone"
            )
        return [Thing(points[None], boxes)]
    if points is not None:
        return [Thing(points[None], None)]
    return [] if boxes is None else [Thing(None, box[None]) for box in boxes]


def _beyond(xy: Float[Tensor, "n 2"], height: int, width: int) -> bool:
    return bool((xy > xy.new_tensor([width, height])).any())
