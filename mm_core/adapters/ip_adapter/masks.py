"""Where an image prompt acts: a mask over the picture, on the grid of a layer's queries."""

from typing import Literal

import torch.nn.functional as F

from ...types import Float, Tensor


def on_grid(
    mask: Float[Tensor, "b h w"],
    rows: int,
    columns: int,
    how: Literal["area", "bilinear", "bicubic"] = "area",
) -> Float[Tensor, "b n 1"]:
    """The mask at rows x columns queries, row by row, shaped to multiply attention's output.

    mask: 0 (not here) to 1, over the whole picture; any size and shape of picture.
    how: area gives each query the mean of the mask over its own patch, so soft edges stay soft
    and sum to the same; bicubic is what diffusers does.
    """
    options = {} if how == "area" else {"align_corners": False}
    grid = F.interpolate(mask[:, None].float(), (rows, columns), mode=how, **options)
    return grid.flatten(2).transpose(1, 2)
