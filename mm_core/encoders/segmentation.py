"""Coloured segmentation maps -> class indices."""

import torch

from ..errors import InputError
from ..types import Float, Int, Tensor

TOLERANCE = 0.25  # of the RGB cube's side: farther from every palette colour is not a class


def nearest_class(
    picture: Float[Tensor, "b 3 h w"], palette: Int[Tensor, "k 3"], source: str
) -> Int[Tensor, "b h w"]:
    """The palette entry nearest to each pixel.

    Raises InputError, naming source, where more than a tenth of the pixels are near no entry:
    then the picture is not a segmentation in this palette.
    """
    colors = palette.to(picture) / 255
    distance = torch.cdist(picture.flatten(2).transpose(1, 2), colors[None].to(picture))
    nearest, index = distance.min(-1)
    strange = float((nearest > TOLERANCE).float().mean())
    if strange > 0.1:
        hexes = " ".join("#" + bytes(c).hex() for c in palette.tolist())
        raise InputError(
            f"{source}: {strange:.0%} of the pixels have none of the palette's colours; "
            f"needed a segmentation painted in {hexes}"
        )
    return index.unflatten(1, picture.shape[-2:])
