"""CLIP_VISION of the host's: pictures through it, and what kind of model it is."""

from typing import Any

import comfy.clip_model
import comfy.clip_vision
import comfy.model_management
import torch

from ....mm_core.errors import InputError
from ..patcher import home

FAMILIES = {
    "clip_vision_model": "CLIP",
    "siglip_vision_model": "SigLIP",
    "siglip2_vision_model": "NaFlex SigLIP 2",
    "dinov2": "DINOv2",
    "dinov3": "DINOv3",
}
READ_BY_ADAPTERS = {"CLIP": ("CLIP", "CLIP vision"), "SigLIP": ("SigLIP",)}
"""By the beginning of an adapter's encoder: families of the host's models and of our encoders."""
NO_VECTOR = (
    "a token for each patch and no vector, as ComfyUI's SigLIP does, from which the pooling is "
    "left out"
)


def family_of(vision: Any) -> str | None:
    """What kind of model a CLIP_VISION is; None for those of other packs."""
    return FAMILIES.get(getattr(vision, "model_type", None))


def read_pictures(vision: Any, image: torch.Tensor, crop: bool = True) -> Any:
    """CLIP_VISION_OUTPUT of IMAGE. DINOv3's has no penultimate_hidden_states: its model in the host
    gives none, and the host's own way of reading it trips over that."""
    if family_of(vision) != "DINOv3":
        return vision.encode_image(image, crop=crop)
    comfy.model_management.load_model_gpu(vision.patcher)
    pixels = comfy.clip_model.clip_preprocess(
        image.to(vision.load_device), size=vision.image_size, mean=vision.image_mean,
        std=vision.image_std, crop=crop,
    ).float()  # fmt: skip
    last, _, pooled, _ = vision.model(pixel_values=pixels)
    output = comfy.clip_vision.Output()
    output.last_hidden_state, output.image_embeds = last.to(home()), pooled.to(home())
    output.image_sizes = [pixels.shape[1:]] * len(pixels)
    output.mm_projected = None
    return output


def is_projected(output: Any) -> bool:
    """Whether the vectors are projected, as those of every CLIP are: then they are of another width
    than the tokens. True where there are no tokens to tell by."""
    tokens = getattr(output, "last_hidden_state", None)
    vectors = getattr(output, "image_embeds", None)
    if not isinstance(tokens, torch.Tensor) or not isinstance(vectors, torch.Tensor):
        return True
    return tokens.shape[-1] != vectors.shape[-1]


def check_family(found: str | None, socket: str, encoder: str, needs: str) -> None:
    """InputError where an adapter's encoder is of one family and the model at hand of another: DINO
    and CLIP give vectors of one width.

    found: the family of the model that is connected to socket. needs: who needs what.
    """
    wanted = next((f for f in READ_BY_ADAPTERS if encoder.startswith(f)), None)
    if wanted is not None and found is not None and found not in READ_BY_ADAPTERS[wanted]:
        raise InputError(f"{needs}, and {socket} is one of {found}: load {encoder}")
