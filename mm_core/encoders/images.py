"""What estimators are given, checked -> images as the models' own processors take them."""

from typing import Any

import torch
from PIL import Image

from ..errors import InputError
from ..types import Picture
from .pictures import SMALLEST, to_image

LONGEST = 50  # times the short side; resized to a model's size, a thinner picture has no rows left
NEEDED = "needed pictures as (b, 3, h, w), RGB in 0..1"


def check_pictures(given: Any, who: str) -> Picture:
    """given, if it is at least one picture of finite numbers, or InputError that names who."""
    if not isinstance(given, torch.Tensor):
        raise InputError(f"{who}: found {_called(given)}; {NEEDED}: connect an image")
    shape = tuple(given.shape)
    if given.ndim != 4 or shape[1] != 3 or not given.is_floating_point():
        raise InputError(f"{who}: found {given.dtype} of shape {shape}; {NEEDED}")
    if shape[0] == 0:
        raise InputError(f"{who}: found no picture at all; {NEEDED}: connect at least one")
    if min(shape[-2:]) < SMALLEST:
        raise InputError(
            f"{who}: {shape[3]} x {shape[2]} pixels are too few; "
            f"needed at least {SMALLEST} x {SMALLEST}: use a larger picture"
        )
    if max(shape[-2:]) > LONGEST * min(shape[-2:]):
        raise InputError(
            f"{who}: {shape[3]} x {shape[2]} pixels are too long and thin; needed a long side of "
            f"at most {LONGEST} times the short one: cut the picture"
        )
    broken = [i for i, picture in enumerate(given) if not torch.isfinite(picture).all()]
    if broken:
        raise InputError(
            f"{who}: picture {broken[0] + 1} of {shape[0]} has values that are not finite "
            "numbers; needed 0..1: look at what made the picture"
        )
    return given


def images(pictures: Picture) -> list[Image.Image]:
    """As 8-bit images, which every processor of every version reads alike."""
    return [to_image(picture.detach().float().cpu()) for picture in pictures]


def _called(given: Any) -> str:
    return "nothing" if given is None else type(given).__name__
