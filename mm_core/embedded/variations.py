"""Variations of a picture: its style again, over as much of the picture as is kept."""

from collections.abc import Callable

import torch

from ..encoders.pictures import square
from ..errors import InputError
from ..guidance.program import Program
from ..types import Float, Modality, Picture, Tensor
from .conditions import EncodedStream
from .defaults import WEIGHTS
from .encode import encode_text
from .generate import Settings, generate
from .model import EmbeddedModel
from .scenes.attributes import PIXELS

DENOISE = 0.4
"""Usual for Settings.denoise: of 64 pictures, colours, places and styles stayed in 99 of 100 cases
and shapes in 91, at 26 dB from the picture; docs/priors.md has the others."""


@torch.inference_mode()
def vary(
    model: EmbeddedModel,
    picture: Float[Tensor, "_ 3 _ _"],
    style: Float[Tensor, "_ _ d"],
    settings: Settings,
    weight: float = WEIGHTS["style"],
    on_step: Callable[[int], None] | None = None,
) -> Picture:
    """settings.batch pictures, each from a noised latent of its picture, guided by its style.

    picture: one, or one for each, of any size; its central square is read. style: tokens of the
    style input, one or one for each, such as those that the picture's own embedding gives back.
    settings.denoise: 1 keeps nothing of the picture but its style. weight: of the style. Raises
    InputError for a picture without pixels or with values that are not finite.
    """
    _check(picture)
    latent = model.autoencoder.encode(square(picture, settings.size * PIXELS))
    program = Program((Modality("style", weight),))
    encoded = {"style": EncodedStream("style", style)}
    null = encode_text(model.text, "").null
    return generate(model, program, encoded, null, settings, on_step, latent=latent)[0]


def _check(picture: Tensor) -> None:
    height, width = picture.shape[-2:]
    if not picture.numel():
        raise InputError(
            f"the picture to vary is {len(picture)} of {width} x {height} pixels; needed one or "
            "more of at least 1 x 1"
        )
    wrong = [i for i, one in enumerate(picture) if not torch.isfinite(one).all()]
    if wrong:
        raise InputError(
            f"picture {wrong[0] + 1} of {len(picture)} to vary has values that are not finite; "
            "needed 0 to 1"
        )
