"""Pictures through ComfyUI's CLIP vision, as an adapter wants them."""

import comfy.model_management
import torch
import torch.nn.functional as F

from ....mm_core.adapters.ip_adapter.layout import Layout
from ....mm_core.errors import InputError

CROPS = ("center", "pad", "tiles")
GREY = (0.48145466, 0.4578275, 0.40821073)  # CLIP's mean colour: zeros once it is normalised


def features(clip_vision, image, layout: Layout, crop: str = "center") -> torch.Tensor:
    """Features of IMAGE (i, h, w, c): (i, width), or (i, tokens, width).

    crop: center reads the central square; pad the whole picture on a square of CLIP's mean colour;
    tiles several squares along the longer side, each a picture of its own.
    """
    if image.shape[0] == 0:
        raise InputError("the image input holds no picture: connect at least one")
    return _encoded(clip_vision, _CROPS[crop](_colour(image)), layout)


def blank(clip_vision, layout: Layout) -> torch.Tensor | None:
    """Features of what stands for no picture, where that is a picture: zeros in normalised pixel
    space, which no image file holds."""
    if layout.null == "zero_features":
        return None
    if layout.null == "black_picture":
        return _encoded(clip_vision, torch.zeros(1, 64, 64, 3), layout)
    comfy.model_management.load_model_gpu(clip_vision.patcher)
    side = clip_vision.image_size
    zeros = torch.zeros(1, 3, side, side, device=clip_vision.load_device)
    out = clip_vision.model(pixel_values=zeros, intermediate_output=-2)
    return out[1].to(comfy.model_management.intermediate_device()).float()


def _encoded(clip_vision, image, layout: Layout) -> torch.Tensor:
    if clip_vision is None:
        needs = " and ".join(str(n) for n in layout.needs)
        raise InputError(
            f"{layout.source} needs {needs}: connect clip_vision, from Load CLIP Vision"
        )
    out = clip_vision.encode_image(image)
    kinds = {need.kind for need in layout.needs}
    name = "image_embeds" if "image_embeds" in kinds else "penultimate_hidden_states"
    return out[name].float()


def _colour(image):
    """Three channels of finite numbers; transparency is not read."""
    channels = image.shape[-1]
    if channels not in (1, 3, 4):
        raise InputError(
            f"the image input has {channels} channels; needed 1 (grey), 3 (colour) or 4 (colour "
            "and transparency): connect an IMAGE as Load Image gives it"
        )
    if not torch.isfinite(image).all():
        raise InputError(
            "the image input holds numbers that are not finite, as a failed decode leaves them; "
            "connect a picture that shows something"
        )
    return image[..., :3] if channels > 1 else image.expand(*image.shape[:-1], 3)


def _pad(image):
    tall, wide = image.shape[1:3]
    side = max(tall, wide)
    out = torch.tensor(GREY).expand(image.shape[0], side, side, 3).clone().to(image)
    top, left = (side - tall) // 2, (side - wide) // 2
    out[:, top : top + tall, left : left + wide] = image
    return out


def _tiles(image):
    """Squares as large as the shorter side, spread evenly so that they cover the longer one."""
    tall, wide = image.shape[1:3]
    side = min(tall, wide)
    count = -(-max(tall, wide) // side)
    parts = []
    for k in range(count):
        at = round(k * (max(tall, wide) - side) / max(1, count - 1))
        parts.append(image[:, at : at + side] if tall > wide else image[:, :, at : at + side])
    small = [F.interpolate(p.movedim(-1, 1), (side, side)).movedim(1, -1) for p in parts]
    return torch.cat(small)


_CROPS = {"center": lambda image: image, "pad": _pad, "tiles": _tiles}
