"""Pictures through ComfyUI's CLIP vision or an encoder of ours, as an adapter wants them."""

import comfy.model_management
import torch
import torch.nn.functional as F

from ....mm_core.adapters.ip_adapter.layout import Features, Layout
from ....mm_core.errors import InputError
from ....mm_core.priors.space import Reader, space_of_width
from ..encoders.encoder import HostEncoder
from ..encoders.pictures import colour
from ..encoders.vision import check_family, family_of, is_projected, read_pictures
from ..patcher import home
from ..prior.readers import embedding_for

CROPS = ("center", "pad", "tiles")
GREY = (0.48145466, 0.4578275, 0.40821073)  # CLIP's mean colour: zeros once it is normalised


def features(
    vision, image, layout: Layout, crop: str = "center", what: str = "image"
) -> torch.Tensor:
    """Features of IMAGE (i, h, w, c): (i, squares, width), or (i, squares, tokens, width).

    crop: center reads the central square; pad the whole picture on a square of CLIP's mean colour;
    tiles several squares along the longer side.
    """
    squares = _CROPS[crop](colour(image, what))
    made = _encoded(vision, squares.flatten(0, 1), layout)
    return made.unflatten(0, squares.shape[:2])


def of_output(output, layout: Layout) -> torch.Tensor:
    """Features (i, 1, width) of pictures that were encoded before, or of a prior's vectors."""
    for need in layout.needs:
        if need.kind != "image_embeds":
            raise InputError(
                f"{layout.source} needs {need}, and clip_vision_output is read as one vector of "
                "CLIP for each picture: connect what it needs in its place, or choose an adapter "
                "of the base family"
            )
    reader = Reader(layout.source, space_of_width(layout.needs[0].width))
    return embedding_for(output, reader).vectors[:, None]


def blank(vision, layout: Layout) -> torch.Tensor | None:
    """Features of what stands for no picture, where that is a picture: zeros in normalised pixel
    space, which no image file holds."""
    if layout.null == "zero_features":
        return None
    if layout.null == "black_picture":
        return _encoded(vision, torch.zeros(1, 64, 64, 3), layout)
    comfy.model_management.load_model_gpu(vision.patcher)
    side = vision.image_size
    zeros = torch.zeros(1, 3, side, side, device=vision.load_device)
    out = vision.model(pixel_values=zeros, intermediate_output=-2)
    return out[1].to(comfy.model_management.intermediate_device()).float()


def _encoded(vision, image, layout: Layout) -> torch.Tensor:
    need = next(n for n in layout.needs if n.kind != "identity")
    if vision is None:
        needs = " and ".join(str(n) for n in layout.needs)
        connect = (
            "encoder, from Load Encoder"
            if need.kind == "pooled"
            else ("clip_vision, from Load CLIP Vision")
        )
        raise InputError(f"{layout.source} needs {needs}: connect {connect}")
    if isinstance(vision, HostEncoder):
        return _vector(vision, image, layout, need)
    if need.kind == "pooled":
        raise InputError(
            f"{layout.source} needs {need}, which CLIP Vision leaves out: connect encoder in place "
            "of clip_vision, a SigLIP folder from Load Encoder"
        )
    found = family_of(vision)
    check_family(found, "clip_vision", need.encoder, f"{layout.source} needs {need}")
    out = read_pictures(vision, image)
    if need.kind == "image_embeds" and not is_projected(out):
        raise InputError(
            f"{layout.source} needs {need}, and clip_vision gives vectors that are not projected: "
            f"load {need.encoder}, with its visual_projection"
        )
    name = "image_embeds" if need.kind == "image_embeds" else "penultimate_hidden_states"
    return out[name].float()


def _vector(encoder: HostEncoder, image, layout: Layout, need: Features) -> torch.Tensor:
    """The vector that an encoder of ours gives for each picture."""
    if need.kind == "penultimate":
        raise InputError(
            f"{layout.source} needs {need}, hidden states that encoders of a folder do not give: "
            "connect clip_vision in place of encoder"
        )
    reads = encoder.of_kind("image")
    found = reads.encoder.family
    check_family(found, "encoder", need.encoder, f"{layout.source} needs {need}")
    vector = reads(image.movedim(-1, 1)).vector
    if vector is None:
        raise InputError(
            f"{layout.source} needs {need}, but the encoder {encoder.encoder.name} gives no "
            f"vector: load {need.encoder}"
        )
    return vector.to(home()).float()


def _pad(image):
    tall, wide = image.shape[1:3]
    side = max(tall, wide)
    out = torch.tensor(GREY).expand(image.shape[0], side, side, 3).clone().to(image)
    top, left = (side - tall) // 2, (side - wide) // 2
    out[:, top : top + tall, left : left + wide] = image
    return out[:, None]


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
    return torch.stack(small, 1)


_CROPS = {"center": lambda image: image[:, None], "pad": _pad, "tiles": _tiles}
