"""Scores of classes -> which class each pixel shows -> one mask for each class."""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F

from ..errors import InputError
from ..types import Float, Int, Tensor

AT_ONCE = 2**26  # values; up to 256 MiB of enlarged scores are compared at once
MOST = 2**30  # values; 4 GiB of masks are the most that is given


def enlarged_classes(
    scores: Float[Tensor, "1 c y x"], height: int, width: int
) -> Int[Tensor, "1 height width"]:
    """The class with the highest score at each pixel of the picture, of equals the first.

    Scores are enlarged bilinearly before they are compared, as every family does it. Those of a
    large picture would fill the memory: then class after class, and only such as can win at all.
    """
    if scores.shape[1] * height * width <= AT_ONCE:
        return _enlarge(scores, height, width).argmax(1)
    best = scores.new_full((1, height, width), -torch.inf)
    index = torch.zeros(1, height, width, dtype=torch.long, device=scores.device)
    for c in contenders(scores):
        large = _enlarge(scores[:, c : c + 1], height, width)[:, 0]
        index.masked_fill_(large > best, c)
        torch.maximum(best, large, out=best)
    return index


def contenders(scores: Float[Tensor, "1 c y x"]) -> list[int]:
    """Classes that can be the highest anywhere between the places of the scores.

    Between four places a class is at most its highest score there, and the winner is at least the
    highest of all classes' lowest.
    """
    around = F.pad(scores, (1, 1, 1, 1), mode="replicate")
    most = F.max_pool2d(around, 2, stride=1)
    least = -F.max_pool2d(-around, 2, stride=1)
    floor = least.amax(1, keepdim=True)
    rounding = 1e-5 * floor.abs().clamp(min=1)
    return (most >= floor - rounding).flatten(2).any(-1)[0].nonzero()[:, 0].tolist()


def _enlarge(
    scores: Float[Tensor, "1 c y x"], height: int, width: int
) -> Float[Tensor, "1 c height width"]:
    return F.interpolate(scores, (height, width), mode="bilinear", align_corners=False)


def query_scores(
    classes: Float[Tensor, "1 q c_and_none"], masks: Float[Tensor, "1 q y x"]
) -> Float[Tensor, "1 c y x"]:
    """Scores of classes at each place from queries, each of which has a class and a mask.

    Both as logits; the last class is "nothing". Source: Cheng et al. 2021 (MaskFormer), arXiv
    2107.06278, section 3.4, semantic inference.
    """
    return torch.einsum("bqc,bqhw->bchw", classes.softmax(-1)[..., :-1], masks.sigmoid())


def class_masks(
    classes: Int[Tensor, "b h w"], names: Mapping[int, str], only: Sequence[str] | None = None
) -> tuple[Float[Tensor, "b k h w"], tuple[str, ...]]:
    """A mask for each class that any of the pictures shows, by class, and what each is called.

    only: names of the classes asked for, in this order, whether any picture shows them or not.
    """
    if only is None:
        present = classes.unique().tolist()
        labels = tuple(names.get(index, f"class {index}") for index in present)
    else:
        present, labels = [_index(name, names) for name in only], tuple(only)
    check_room(len(classes) * len(present), *classes.shape[-2:])
    masks = classes.new_zeros(len(classes), len(present), *classes.shape[-2:], dtype=torch.float32)
    for k, index in enumerate(present):
        masks[:, k] = classes == index
    return masks, labels


def _index(name: str, names: Mapping[int, str]) -> int:
    for index, known in names.items():
        if known == name:
            return index
    raise InputError(
        f"found no class {name!r}; needed one of the model's {len(names)}: "
        f"{', '.join(list(names.values())[:8])} and so on"
    )


def check_room(masks: int, height: int, width: int) -> None:
    """InputError where this many masks of this size would need more memory than is sensible."""
    if masks * height * width > MOST:
        size = masks * height * width * 4 / 2**30
        raise InputError(
            f"found {masks} masks of {width} x {height} pixels, {size:.1f} GiB; needed at most "
            f"{MOST * 4 / 2**30:g} GiB: give smaller pictures, fewer at a time, or ask for fewer "
            "masks"
        )
