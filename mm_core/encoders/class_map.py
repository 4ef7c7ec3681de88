"""Scores of classes -> which class each pixel shows -> one mask for each class."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F

from ..errors import InputError
from ..types import Float, Int, Tensor

AT_ONCE = 2**26  # values; 256 MiB of enlarged scores are held at a time
MOST = 2**30  # values; 4 GiB of masks are the most that is given


def enlarged_classes(
    scores: Float[Tensor, "1 c y x"], height: int, width: int
) -> Int[Tensor, "1 height width"]:
    """The class with the highest score at each pixel of the picture.

    Scores are enlarged bilinearly before they are compared, as every family does it; a few classes
    at a time, for those of a large picture would fill the memory.
    """
    few = max(1, AT_ONCE // (height * width))
    parts = list(scores.split(few, 1))
    best = index = None
    for i, part in enumerate(parts):
        large = F.interpolate(part, (height, width), mode="bilinear", align_corners=False)
        value, where = large.max(1)
        if best is None or index is None:
            best, index = value, where
        else:
            better = value > best
            best, index = best.where(~better, value), index.where(~better, where + i * few)
    assert index is not None
    return index


def query_scores(
    classes: Float[Tensor, "1 q c_and_none"], masks: Float[Tensor, "1 q y x"]
) -> Float[Tensor, "1 c y x"]:
    """Scores of classes at each place from queries, each of which has a class and a mask.

    Both as logits; the last class is "nothing". Source: Cheng et al. 2021 (MaskFormer), arXiv
    2107.06278, section 3.4, semantic inference.
    """
    return torch.einsum("bqc,bqhw->bchw", classes.softmax(-1)[..., :-1], masks.sigmoid())


def class_masks(
    classes: Int[Tensor, "b h w"], names: Mapping[int, str]
) -> tuple[Float[Tensor, "b k h w"], tuple[str, ...]]:
    """A mask for each class that any of the pictures shows, by class, and what each is called."""
    present = classes.unique().tolist()
    check_room(len(classes) * len(present), *classes.shape[-2:])
    masks = classes.new_zeros(len(classes), len(present), *classes.shape[-2:], dtype=torch.float32)
    for k, index in enumerate(present):
        masks[:, k] = classes == index
    return masks, tuple(names.get(index, f"class {index}") for index in present)


def check_room(masks: int, height: int, width: int) -> None:
    """InputError where this many masks of this size would need more memory than is sensible."""
    if masks * height * width > MOST:
        size = masks * height * width * 4 / 2**30
        raise InputError(
            f"found {masks} masks of {width} x {height} pixels, {size:.1f} GiB; needed at most "
            f"{MOST * 4 / 2**30:g} GiB: make the picture smaller or give fewer at a time"
        )
