"""Pictures -> tokens and a vector, by CLIP, SigLIP or DINO."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..types import ModalityEmbedding, Tensor
from .encoder import Encoding, Kind, Tick, no_tick
from .family import Family
from .folder import half_config, load_model, load_processor
from .forward import forward, prepared, side_by_side
from .images import check_pictures
from .pictures import to_image


@dataclass(eq=False)
class ImageEncoder:
    """Pictures of any size, each through the folder's own processor and network alone.

    The processor resizes and crops; a model saved with other settings sees more or less of a
    picture. vector: takes what the network gives, and says what stands for the whole picture.
    """

    name: str
    family: str
    width: int | None
    module: nn.Module
    processor: Any
    vector: Callable[[Any], Tensor | None]
    kind: Kind = "image"
    needs: str = "pictures in 0..1"

    def __call__(self, given: Any, tick: Tick = no_tick) -> Encoding:
        """given: (b, 3, h, w) in 0..1, rounded to 256 levels as a picture file holds them."""
        check_pictures(given, self.name)
        tokens, vectors = [], []
        for i, picture in enumerate(given.cpu()):
            inputs = prepared(self.processor, images=to_image(picture))
            out = forward(self.module, inputs)
            real = inputs.get("pixel_attention_mask")  # only where pictures are padded
            count = None if real is None else int(real.sum())
            tokens.append(out.last_hidden_state[:, :count].float())
            vectors.append(self.vector(out))
            tick(i + 1, len(given))
        seen, mask = side_by_side(tokens)
        found = [v.float() for v in vectors if v is not None]
        vector = torch.cat(found) if found else None
        return Encoding(ModalityEmbedding("image", seen, mask), vector)


def _open(
    folder: Path,
    family: Family,
    dtype: torch.dtype,
    vector: Callable[[Any], Tensor | None],
    whole: str = "",
) -> ImageEncoder:
    """whole: the config class of a folder that holds a text half, too."""
    options = half_config(folder, whole, "vision_config") if whole else {}
    module = load_model(family.class_name, folder, dtype, family.since, **options)
    config: Any = module.config
    width = getattr(config, "hidden_size", None) or config.hidden_sizes[-1]
    processor = load_processor("picture", folder)
    return ImageEncoder(folder.name, family.name, width, module, processor, vector)


def _projected(out: Any) -> Tensor:
    return out.image_embeds


def _pooled(out: Any) -> Tensor | None:
    return out.pooler_output


FAMILIES = (
    Family(
        name="CLIP vision, without projection",
        kind="image",
        model_types=("clip_vision_model",),
        architectures=("CLIPVisionModel",),
        class_name="CLIPVisionModel",
        gives="a token for the picture and one for each patch; the first, normed, as a vector",
        unit="last layer before its norm; vector not L2-normalised",
        good_for="what is where; adapters trained on it",
        load=partial(_open, vector=_pooled),
    ),
    Family(
        name="CLIP vision",
        kind="image",
        model_types=("clip", "clip_vision_model"),
        class_name="CLIPVisionModelWithProjection",
        gives="a token for the picture, one for each patch (257 for ViT-H/14); a projected vector",
        unit="last layer before its norm; vector not L2-normalised, in the space of CLIP texts",
        good_for="image prompts; style and subject; comparing pictures with texts",
        load=partial(_open, vector=_projected, whole="CLIPConfig"),
    ),
    Family(
        name="SigLIP",
        kind="image",
        model_types=("siglip", "siglip_vision_model"),
        class_name="SiglipVisionModel",
        gives="a token for each patch, 729 for so400m at 384 pixels; an attention-pooled vector",
        unit="last layer, normed; vector not L2-normalised, in the space of SigLIP texts",
        good_for="image prompts of transformers; SigLIP 2 of a fixed size is one of these",
        load=partial(_open, vector=_pooled, whole="SiglipConfig"),
    ),
    Family(
        name="SigLIP 2, NaFlex",
        kind="image",
        model_types=("siglip2", "siglip2_vision_model"),
        class_name="Siglip2VisionModel",
        gives="a token for each patch of the picture in its own shape, up to 256; a pooled vector",
        unit="last layer, normed; vector not L2-normalised, in the space of SigLIP 2 texts",
        good_for="pictures that are not square: nothing is cropped",
        load=partial(_open, vector=_pooled, whole="Siglip2Config"),
    ),
    Family(
        name="DINOv2",
        kind="image",
        model_types=("dinov2",),
        class_name="Dinov2Model",
        gives="a token for the picture and one for each patch; the first as a vector",
        unit="last layer, normed; vector not L2-normalised",
        good_for="shape, layout and likeness without words",
        load=partial(_open, vector=_pooled),
    ),
    Family(
        name="DINOv2 with registers",
        kind="image",
        model_types=("dinov2_with_registers",),
        class_name="Dinov2WithRegistersModel",
        gives="a token for the picture, 4 registers, and one for each patch; the first as a vector",
        unit="last layer, normed; vector not L2-normalised",
        good_for="shape and layout, with cleaner patches",
        load=partial(_open, vector=_pooled),
    ),
    Family(
        name="DINOv3 ViT",
        kind="image",
        model_types=("dinov3_vit",),
        class_name="DINOv3ViTModel",
        gives="a token for the picture, 4 registers, and one for each patch, 201 in all at 224 "
        "pixels; the first as a vector",
        unit="last layer, normed; vector not L2-normalised",
        good_for="fine shape and layout without words",
        load=partial(_open, vector=_pooled),
        since="4.56",
        extras=("torchvision",),
    ),
    Family(
        name="DINOv3 ConvNext",
        kind="image",
        model_types=("dinov3_convnext",),
        class_name="DINOv3ConvNextModel",
        gives="a token for the picture and one for each place of a grid of 32 pixels; the first as "
        "a vector",
        unit="last layer, normed; vector not L2-normalised",
        good_for="shape and layout without words, faster",
        load=partial(_open, vector=_pooled),
        since="4.56",
        extras=("torchvision",),
    ),
)
