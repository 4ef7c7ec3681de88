"""Boxes and masks in pixels, and which of them show the same thing.

A box is its corners (left, top, right, bottom), right and bottom outside, unless a name says size.
"""

import torch

from ..types import Bool, Float, Int, Tensor


def with_size(corners: Float[Tensor, "n 4"]) -> Float[Tensor, "n 4"]:
    """(left, top, width, height), as COCO writes boxes."""
    return torch.cat([corners[:, :2], corners[:, 2:] - corners[:, :2]], 1)


def clip(corners: Float[Tensor, "n 4"], height: int, width: int) -> Float[Tensor, "n 4"]:
    """The part of each box inside the picture; one that lies outside has no area."""
    return torch.minimum(corners.clamp(min=0), corners.new_tensor([width, height, width, height]))


def box_overlap(corners: Float[Tensor, "n 4"]) -> Float[Tensor, "n n"]:
    """Intersection over union of each pair; 0 where neither has any area."""
    low = torch.maximum(corners[:, None, :2], corners[None, :, :2])
    high = torch.minimum(corners[:, None, 2:], corners[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    area = (corners[:, 2:] - corners[:, :2]).clamp(min=0).prod(-1)
    return _ratio(shared, area)


def mask_overlap(masks: Bool[Tensor, "n h w"]) -> Float[Tensor, "n n"]:
    """Intersection over union of each pair; 0 where both are empty."""
    flat = masks.flatten(1).float()
    return _ratio(flat @ flat.T, flat.sum(1))


def _ratio(shared: Float[Tensor, "n n"], area: Float[Tensor, " n"]) -> Float[Tensor, "n n"]:
    union = area[:, None] + area[None, :] - shared
    return torch.where(union > 0, shared / union.clamp(min=1e-12), 0.0)


def mask_boxes(masks: Bool[Tensor, "n h w"]) -> Float[Tensor, "n 4"]:
    """The smallest box around each mask; zeros around an empty one."""
    boxes = []
    for side in (masks.any(-2), masks.any(-1)):  # columns, then rows
        length = side.shape[-1]
        first = side.float().argmax(-1)
        last = length - side.flip(-1).float().argmax(-1)
        boxes.append(torch.stack([first, last], -1) * side.any(-1, keepdim=True))
    columns, rows = boxes
    return torch.stack([columns[:, 0], rows[:, 0], columns[:, 1], rows[:, 1]], -1).float()


def suppress(
    scores: Float[Tensor, " n"], overlap: Float[Tensor, "n n"], most: float
) -> Int[Tensor, " kept"]:
    """Indices that stay, best score first: none overlaps a better one by more than most.

    Equal scores stay in their order. Source: greedy non-maximum suppression, Felzenszwalb et al.
    2010.
    """
    order = scores.sort(descending=True, stable=True).indices.tolist()
    rivals = (overlap > most).cpu()
    kept: list[int] = []
    for i in order:
        if not rivals[i, kept].any():
            kept.append(i)
    return torch.tensor(kept, dtype=torch.long, device=scores.device)
