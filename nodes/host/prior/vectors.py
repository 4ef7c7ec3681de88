"""CLIP_VISION_OUTPUT of one vector for each image, made here or by the host's CLIP vision."""

import comfy.clip_vision
import torch

from ....mm_core.errors import InputError
from ....mm_core.priors.space import UNKNOWN, ImageEmbedding, Space, space_of_width
from ..encoders.vision import is_projected
from ..patcher import home

SPACE, UNIT = "mmc_space", "mmc_unit"  # attributes that the host's own outputs lack


class NoTokensError(InputError, AttributeError):
    """An AttributeError too, so that whoever asks whether there are tokens hears that there are
    none."""


class VectorOutput(comfy.clip_vision.Output):
    """image_embeds (n, d), one row for each image; hidden states there are none."""

    def __init__(self, embedding: ImageEmbedding):
        self.image_embeds = embedding.vectors.to(home(), torch.float32)
        setattr(self, SPACE, embedding.space)
        setattr(self, UNIT, embedding.unit)

    @property
    def last_hidden_state(self):
        raise NoTokensError(
            f"this image embedding is one vector ({getattr(self, SPACE)}), and what reads it needs "
            "a grid of tokens: connect CLIP Vision Encode of a picture there, or choose a model "
            "that reads one vector"
        )

    penultimate_hidden_states = last_hidden_state
    all_hidden_states = last_hidden_state


def embedding_of(output, what: str = "clip_vision_output") -> ImageEmbedding:
    """The vectors of any CLIP_VISION_OUTPUT. Those of unknown origin are told apart by width.

    Raises InputError where there are none, or some that are not finite or of length 0.
    """
    vectors = getattr(output, "image_embeds", None)
    if not isinstance(vectors, torch.Tensor) or vectors.ndim != 2 or not len(vectors):
        found = tuple(vectors.shape) if isinstance(vectors, torch.Tensor) else "none"
        raise InputError(
            f"{what} needs image_embeds, one vector for each image, and found {found}: connect "
            "Diffusion Prior, or CLIP Vision Encode with a CLIP vision model"
        )
    if not torch.isfinite(vectors).all():
        raise InputError(f"{what} has numbers that are not finite; make it again")
    if not vectors.any(dim=1).all():
        raise InputError(f"{what} has length 0, nothing is told: make it again, or leave it out")
    # A DINO's vectors are as wide as a CLIP's, and say nothing to what reads those.
    width = vectors.shape[1]
    told = space_of_width(width) if is_projected(output) else Space(UNKNOWN, width)
    space = getattr(output, SPACE, None) or told
    return ImageEmbedding(vectors.float(), space, getattr(output, UNIT, False))
