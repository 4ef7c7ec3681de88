"""Pictures that nodes draw, as IMAGE."""

from ..mm_core.encoders.pictures import picture_tensor


def as_image(picture):
    """A PIL picture as (1, h, w, 3) in 0 to 1."""
    return picture_tensor(picture).movedim(1, -1)
