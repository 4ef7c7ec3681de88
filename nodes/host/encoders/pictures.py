"""IMAGE as encoders take it."""

import torch

from ....mm_core.errors import InputError


def channels_first(image, what: str = "image") -> torch.Tensor:
    """IMAGE (b, h, w, 1, 3 or 4) -> (b, 3, h, w) in 0..1. Alpha is left out, as core does.

    Raises InputError for no picture, and for one whose pixels are not finite.
    """
    return colour(image, what).movedim(-1, 1)


def colour(image, what: str = "image") -> torch.Tensor:
    """The same, channels last."""
    if not isinstance(image, torch.Tensor) or image.ndim != 4 or image.shape[-1] not in (1, 3, 4):
        shape = tuple(image.shape) if isinstance(image, torch.Tensor) else type(image).__name__
        raise InputError(
            f"the {what} input is {shape}; needed pictures of (number, height, width, channels) "
            "with 1, 3 or 4 channels"
        )
    if min(image.shape[:3]) == 0:
        raise InputError(f"the {what} input holds no picture: connect at least one")
    three = image[..., :3] if image.shape[-1] >= 3 else image.expand(*image.shape[:-1], 3)
    three = three.float()
    if not bool(torch.isfinite(three.sum())):
        raise InputError(
            f"the {what} input has pixels that are not finite numbers; look for a node before it "
            "that makes a black picture"
        )
    return three.clamp(0, 1)


def as_image(picture: torch.Tensor) -> torch.Tensor:
    """(b, 3, h, w) -> IMAGE."""
    return picture.movedim(1, -1)
