"""Everything in a picture, without a prompt: a grid of points, and which of their masks to keep.

Source: Kirillov et al. 2023 (Segment Anything), arXiv 2304.02643, appendix B; its defaults. Masks
are compared as the model gives them, small: enlarged, hundreds would not fit into memory.
"""

from dataclasses import dataclass
from typing import Literal

import torch

from ..errors import InputError
from ..types import Float, Int, Tensor
from .boxes import box_overlap, mask_boxes, mask_overlap, suppress

MARGIN = 1.0  # by which the threshold of the logits is moved to see how stable a mask is


@dataclass(frozen=True)
class Grid:
    """How to look for everything.

    a_side: points along each side. sure: the least IoU that the model expects of its own mask.
    stable: the least IoU of the mask with itself under a moved threshold. overlap: the most IoU
    with a better mask, of boxes or of masks. at_once: points in one call of the model.
    """

    a_side: int = 32
    sure: float = 0.88
    stable: float = 0.95
    overlap: float = 0.7
    by: Literal["box", "mask"] = "box"
    at_once: int = 64

    def __post_init__(self) -> None:
        if not (1 <= self.a_side <= 128 and self.at_once >= 1):
            raise InputError(
                f"found {self.a_side} points a side, {self.at_once} at once; needed 1 to 128, "
                "and at least 1 at once"
            )


def grid_points(a_side: int, height: int, width: int) -> Float[Tensor, "n 2"]:
    """(x, y) in pixels of a_side * a_side points, in the middles of as many equal cells."""
    steps = (torch.arange(a_side, dtype=torch.float64) + 0.5) / a_side
    y, x = torch.meshgrid(steps * height, steps * width, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], 1).float()


def stability(logits: Float[Tensor, "n y x"]) -> Float[Tensor, " n"]:
    """IoU of each mask with itself, at thresholds MARGIN above and below 0; 0 for no mask."""
    inner = (logits > MARGIN).flatten(1).sum(1)
    outer = (logits > -MARGIN).flatten(1).sum(1)
    return inner / outer.clamp(min=1)


def passable(
    logits: Float[Tensor, "n y x"], scores: Float[Tensor, " n"], grid: Grid
) -> Int[Tensor, " kept"]:
    """Which masks of one call are good enough to be compared at all."""
    good = (scores > grid.sure) & (stability(logits) > grid.stable) & (logits > 0).any(-1).any(-1)
    return good.nonzero()[:, 0]


def distinct(
    logits: Float[Tensor, "n y x"], scores: Float[Tensor, " n"], grid: Grid
) -> Int[Tensor, " kept"]:
    """Which masks of all calls stay, best first: none says what a better one says already."""
    masks = logits > 0
    overlap = mask_overlap(masks) if grid.by == "mask" else box_overlap(mask_boxes(masks))
    return suppress(scores, overlap, grid.overlap)
