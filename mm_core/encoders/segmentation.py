"""Coloured segmentation maps -> class indices."""

import torch

from ..errors import InputError
from ..types import Float, Int, Tensor
from .pictures import to_bytes

TOLERANCE = 0.25  # of the RGB cube's side: farther from every palette colour is not a class
AT_ONCE = 1 << 16  # colours; the distances of all to a large palette would fill the memory
SHOWN = 16  # colours that a refusal names


def nearest_class(
    picture: Float[Tensor, "b 3 h w"], palette: Int[Tensor, "k 3"], source: str
) -> Int[Tensor, "b h w"]:
    """The palette entry nearest to each pixel.

    Raises InputError, naming source, where more than a tenth of the pixels are near no entry:
    then the picture is not a segmentation in this palette.
    """
    flat = to_bytes(picture.movedim(1, -1).flatten(0, 2)).long()
    # Each colour once: a painted picture has few.
    packed, which = (flat << flat.new_tensor([16, 8, 0])).sum(1).unique(return_inverse=True)
    colors = ((packed[:, None] >> packed.new_tensor([16, 8, 0])) & 255).float() / 255
    entries = palette.to(colors) / 255
    exact = "donot_use_mm_for_euclid_dist"
    near = [torch.cdist(c, entries, compute_mode=exact).min(1) for c in colors.split(AT_ONCE)]
    distance, index = (torch.cat(parts)[which] for parts in zip(*near, strict=True))
    strange = float((distance > TOLERANCE).float().mean())
    if strange > 0.1:
        hexes = " ".join("#" + bytes(c).hex() for c in palette.tolist()[:SHOWN])
        more = f" and {len(palette) - SHOWN} more" if len(palette) > SHOWN else ""
        raise InputError(
            f"{source}: {strange:.0%} of the pixels have none of the palette's colours; "
            f"needed a segmentation painted in {hexes}{more}"
        )
    return index.view(len(picture), *picture.shape[-2:])
