"""The embedded model's style encoder in the form of the host's CLIP vision."""

from functools import cache
from typing import Any

import comfy.clip_vision
import torch.nn.functional as F

from ....mm_core.embedded.encode import encode_style
from ....mm_core.embedded.prior import StyleSpace, load_space
from ....mm_core.embedded.scenes.attributes import MAP_PIXELS
from ....mm_core.priors.space import EMBEDDED, ImageEmbedding
from ....mm_core.types import Tokens
from ..encoders.pictures import channels_first
from ..patcher import home
from .vectors import SPACE, UNIT


class EmbeddedVision:
    """adapters: the embedded model's encoders, with whom this one shares its weights.

    The attributes are those that nodes read of the host's own.
    """

    image_size = MAP_PIXELS

    def __init__(self, adapters: Any):
        self.adapters = adapters
        self.patcher = adapters.patcher
        self.load_device = adapters.patcher.load_device

    def encode_image(self, image, crop: bool = True) -> comfy.clip_vision.Output:
        """IMAGE (n, h, w, c) -> image_embeds (n, 128), and 16 tokens of each as hidden states.

        crop: the central square; else the whole picture, squeezed into one.
        """
        module, device = self.adapters.ready()
        picture = channels_first(image).to(device)
        if not crop:
            picture = F.interpolate(
                picture, (MAP_PIXELS, MAP_PIXELS), mode="bilinear", antialias=True
            ).clamp(0, 1)
        tokens = encode_style(module, picture).tokens
        out = comfy.clip_vision.Output()
        out.last_hidden_state = out.penultimate_hidden_states = tokens.to(home())
        out.image_embeds = style_space().embed(tokens.cpu().float()).vectors.to(home())
        out.image_sizes = [(3, MAP_PIXELS, MAP_PIXELS)] * len(tokens)
        out.mm_projected = None
        setattr(out, SPACE, EMBEDDED)
        setattr(out, UNIT, False)
        return out


def style_tokens(embedding: ImageEmbedding) -> Tokens:
    """What the style input of the embedded model reads, from an embedding of its space."""
    return style_space().tokens(ImageEmbedding(embedding.vectors.cpu(), EMBEDDED)).to(home())


@cache
def style_space() -> StyleSpace:
    """A megabyte, on the CPU; read when it is first needed."""
    return load_space()
