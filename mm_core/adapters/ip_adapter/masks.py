"""Where an image prompt acts: a mask over the picture, on the grid of a layer's queries."""

from typing import Literal

import torch.nn.functional as F

from ...errors import InputError
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


def grid_of(queries: int, rows: int, columns: int) -> tuple[int, int]:
    """Rows and columns of a layer with this many queries, for a latent of rows x columns.

    A UNet halves the latent from level to level and rounds up, so odd sides are exact too.
    InputError if no level has this many queries.
    """
    height, width = rows, columns
    while height * width > queries:
        height, width = -(-height // 2), -(-width // 2)
    if height * width != queries:
        raise InputError(
            f"no level of a {rows} x {columns} latent has {queries} places; give the grid of the "
            "layer itself"
        )
    return height, width
