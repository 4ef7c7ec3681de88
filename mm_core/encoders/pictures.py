"""Picture files -> tensors in 0..1, whatever their size, aspect, mode or bit depth."""

import warnings
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import InputError
from ..types import Float, Int, Picture, Tensor
from .files import check_file

SMALLEST = 8  # pixels a side; below this there is nothing to read
SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I")


def open_picture(path: Path) -> Image.Image:
    """The decoded picture, upright, or InputError that names the file and what is wrong."""
    check_file(path, "a picture file")
    try:
        with warnings.catch_warnings():
            # Pillow warns from half the size at which it refuses; only the refusal is ours.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as opened:
                opened.load()
                picture = ImageOps.exif_transpose(opened) or opened.copy()
    except UnidentifiedImageError as e:
        raise InputError(
            f"{path}: not a picture that can be read; needed PNG, JPEG or WebP: "
            "open it in an image editor and save it again"
        ) from e
    except Image.DecompressionBombError as e:
        raise InputError(f"{path}: too many pixels ({e}); make the picture smaller") from e
    except (OSError, SyntaxError, ValueError) as e:
        raise InputError(f"{path}: the picture is damaged ({e}); save it again") from e
    if min(picture.size) < SMALLEST:
        raise InputError(
            f"{path}: {picture.size[0]} x {picture.size[1]} pixels are too few; "
            f"needed at least {SMALLEST} x {SMALLEST}"
        )
    if picture.mode == "F":
        raise InputError(
            f"{path}: found floating-point pixels, whose range is unknown; "
            "needed 8 or 16 bit: scale them to 0..65535 and save as 16-bit PNG"
        )
    return picture


def read_picture(path: Path) -> Picture:
    """(1, 3, h, w). Transparency is laid over white."""
    return picture_tensor(open_picture(path))


def picture_tensor(picture: Image.Image) -> Picture:
    """(1, 3, h, w) in 0..1 from any mode. Transparency is laid over white."""
    if picture.mode in SIXTEEN_BIT:
        return _levels(picture).expand(-1, 3, -1, -1)
    if "A" in picture.getbands() or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    values = torch.from_numpy(np.array(picture.convert("RGB")))
    return values.permute(2, 0, 1)[None].float() / 255


def read_depth(path: Path) -> Float[Tensor, "1 1 h w"]:
    """A depth map with near = white, 8 or 16 bit, as 0 (far) to 1 (near)."""
    picture = open_picture(path)
    if picture.mode in SIXTEEN_BIT:
        return _levels(picture)
    return picture_tensor(picture).mean(1, keepdim=True)


def _levels(picture: Image.Image) -> Float[Tensor, "1 1 h w"]:
    """16-bit grey, or 32-bit integers that hold 16-bit values, to 0..1."""
    values = np.asarray(picture).astype(np.float32)
    return torch.from_numpy(values / 65535).clamp(0, 1)[None, None]


def square(x: Float[Tensor, "b c h w"], side: int, exact: bool = False) -> Float[Tensor, "b c s s"]:
    """The central square, resized. exact: nearest pixels, for maps whose values are labels."""
    height, width = x.shape[-2:]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    x = x[..., top : top + short, left : left + short]
    if short == side:
        return x
    if exact:
        return F.interpolate(x, (side, side), mode="nearest-exact")
    if short % side == 0:
        return F.avg_pool2d(x, short // side)
    return F.interpolate(
        x, (side, side), mode="bilinear", align_corners=False, antialias=short > side
    ).clamp(0, 1)


def to_image(picture: Float[Tensor, "3 h w"]) -> Image.Image:
    """One picture in 0..1 as an 8-bit RGB image."""
    return Image.fromarray(to_bytes(picture).permute(1, 2, 0).contiguous().numpy())


def to_bytes(x: Float[Tensor, "*any"]) -> Int[Tensor, "*any"]:
    """0..1 to 0..255, rounded."""
    return (x.clamp(0, 1) * 255).round().byte()
