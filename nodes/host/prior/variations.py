"""A picture, its embedding, and variations of it, by whatever reads the embedding."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from comfy.ldm.modules.encoders.noise_aug_modules import CLIPEmbeddingNoiseAugmentation
from comfy.model_base import SDXL, SDXLRefiner, StableCascade_C

from ....mm_core.errors import InputError
from ....mm_core.guidance.compositions import DEFAULT
from ....mm_core.priors.noise import candidate_seed
from ....mm_core.priors.space import (
    CLIP_BIGG,
    CLIP_H,
    CLIP_L,
    ImageEmbedding,
    Reader,
    reader_named,
    space_of_width,
)
from ....mm_core.priors.vary import varied
from ..effects import AddedEffect, HostModality
from ..encoders.pictures import colour
from ..encoders.vision import read_pictures
from ..ip_adapter.prompt import Style
from ..make import Choices, make_guider
from ..modality import STYLE, Guidance, prompt, style
from ..sample import sample_with
from .readers import embedding_for
from .vectors import VectorOutput
from .vision import EmbeddedVision

UNCLIP = {CLIP_L: "SD2.1-unCLIP-L", CLIP_H: "SD2.1-unCLIP-H"}


@dataclass(frozen=True)
class Source:
    """The picture, and who reads it, as the sockets have it. Without ip_adapter and adapters, the
    model itself."""

    image: Any = None
    output: Any = None
    clip_vision: Any = None
    ip_adapter: Any = None
    adapters: Any = None


@dataclass(frozen=True)
class Words:
    """What is said beside the picture. weight: guidance weight."""

    positive: Any = None
    negative: Any = None
    weight: float = 1.0


@dataclass(frozen=True)
class Asked:
    """count: of variations. weight: guidance weight of the picture. strength: how loud it is.
    variety: 0 to 1, noise on the embedding."""

    count: int
    weight: float
    variety: float
    strength: float
    seed: int

    @property
    def guidance(self) -> Guidance:
        return Guidance(self.weight if self.strength else 0.0)

    def varied(self, embedding: ImageEmbedding) -> ImageEmbedding:
        """One for each variation, from seeds that no starting noise is drawn with."""
        return varied(
            embedding, self.variety, [candidate_seed(self.seed, 1 + k) for k in range(self.count)]
        )


def make_variations(
    model, source: Source, words: Words, asked: Asked, latent, sampling: Mapping[str, Any]
):
    """LATENT of as many images as asked, and CLIP_VISION_OUTPUT of what they were made of.

    sampling: steps, sampler_name, scheduler and denoise, as in KSampler.
    """
    _check_words(model, source, words)
    picture, output = _picture(model, source, asked)
    modalities = {"picture": picture}
    if words.positive is not None:
        told = prompt(words.positive, words.negative, Guidance(words.weight))
        modalities = {"text": told, **modalities}
    guider = make_guider(model, modalities, Choices(DEFAULT, 1.0))
    start = repeated(latent, asked.count)
    return sample_with(guider, asked.seed, latent=start, **sampling), output


def _check_words(model, source: Source, words: Words) -> None:
    if words.positive is None:
        if words.negative is not None or words.weight != 1:
            raise InputError(
                "negative and text_weight are for words beside the picture, and there are none: "
                "connect positive, or disconnect negative and set text_weight to 1"
            )
        if source.adapters is None:
            raise InputError(
                "there is no prompt, which this model needs beside the picture: connect positive; "
                "CLIP Text Encode of an empty text will do"
            )
    if isinstance(model.model, SDXL | SDXLRefiner):
        for prompt_ in (words.positive, words.negative):
            for _, options in prompt_ or ():
                _check_pooled(options.get("pooled_output"))


def _check_pooled(pooled) -> None:
    if not isinstance(pooled, torch.Tensor) or pooled.shape[-1] != CLIP_BIGG.width:
        found = "none" if not isinstance(pooled, torch.Tensor) else f"{pooled.shape[-1]} wide"
        raise InputError(
            f"SDXL needs prompts with a pooled vector {CLIP_BIGG.width} wide, in rows without the "
            f"picture too, and found {found}: make positive and negative with the CLIP of an SDXL "
            "checkpoint"
        )


def repeated(latent, count: int):
    """LATENT of count images: those that are there, or one of them for all."""
    samples = latent["samples"]
    have = samples.shape[0]
    if have == count:
        return latent
    if have != 1 or getattr(samples, "is_nested", False):
        raise InputError(
            f"latent_image holds {have} images for {count} variations; give one, or as many"
        )
    kept = {k: v for k, v in latent.items() if k != "batch_index"}  # or all had the same noise
    return {**kept, "samples": samples.repeat(count, *[1] * (samples.ndim - 1))}


def _picture(model, source: Source, asked: Asked) -> tuple[HostModality, Any]:
    if source.ip_adapter is not None and source.adapters is not None:
        raise InputError(
            "both ip_adapter and adapters are connected: connect the one that fits the model"
        )
    if source.ip_adapter is not None:
        return _by_adapter(source, asked)
    if source.adapters is not None:
        return _by_embedded(source, asked)
    return _by_model(model, source, asked)


def _by_adapter(source: Source, asked: Asked) -> tuple[HostModality, Any]:
    layout = source.ip_adapter.layout
    kinds = {need.kind for need in layout.needs}
    if kinds == {"penultimate"}:
        return _by_tokens(source, asked)
    if kinds != {"image_embeds"}:
        raise InputError(
            f"{layout.source} needs {layout.needs[0]}, which this node has no input for: use Style "
            "Image Modality and Multimodal KSampler"
        )
    reader = Reader(layout.source, space_of_width(layout.needs[0].width))
    output = _varied(_read(source, source.clip_vision, layout.source), reader, asked)
    look = Style(strength=asked.strength, combine=_combine(len(output.image_embeds), asked))
    made = style(None, source.ip_adapter, None, None, look, asked.guidance, output)
    return made, output


def _by_tokens(source: Source, asked: Asked) -> tuple[HostModality, Any]:
    """The plus and full families read tokens of the picture itself."""
    name = source.ip_adapter.layout.source
    if asked.variety > 0:
        raise InputError(
            f"variety is {asked.variety:g}, and {name} reads the picture's tokens, which it cannot "
            "move: set it to 0, or choose an adapter of the base family"
        )
    count = 1 if source.image is None else len(source.image)
    look = Style(strength=asked.strength, combine=_combine(count, asked))
    made = style(
        None, source.ip_adapter, source.clip_vision, source.image, look, asked.guidance,
        source.output,
    )  # fmt: skip
    return made, _read(source, source.clip_vision, name)


def _by_embedded(source: Source, asked: Asked) -> tuple[HostModality, Any]:
    vision = source.clip_vision or EmbeddedVision(source.adapters)
    output = _varied(_read(source, vision, STYLE.name), STYLE, asked)
    _combine(len(output.image_embeds), asked)
    look = Style(strength=asked.strength)
    return style(source.adapters, None, None, None, look, asked.guidance, output), output


def _by_model(model, source: Source, asked: Asked) -> tuple[HostModality, Any]:
    """What unCLIPConditioning adds to a prompt: one embedding for all variations, on which the
    model itself puts noise, drawn from the job's seed."""
    reader, makes_noise = _reader(model)
    output = _read(source, source.clip_vision, reader.name)
    embedding = embedding_for(output, reader)
    if len(embedding) > 1:
        raise InputError(
            f"there are {len(embedding)} pictures, and {reader.name} takes one for all variations: "
            "choose one, or make one of them with Mix Image Embeddings"
        )
    if asked.variety > 0 and not makes_noise:
        seed = [candidate_seed(asked.seed, 1)]
        output = VectorOutput(varied(embedding, asked.variety, seed))
    entry = {
        "clip_vision_output": output, "strength": asked.strength,
        "noise_augmentation": asked.variety,
    }  # fmt: skip
    effect = AddedEffect({"unclip_conditioning": [entry]})
    return HostModality(asked.guidance.modality("style", continuous=False), effect), output


def _reader(model) -> tuple[Reader, bool]:
    """What a MODEL reads by itself, and whether it puts noise on it."""
    network = model.model
    noise = getattr(network, "noise_augmentor", None)
    if isinstance(network, StableCascade_C):
        return reader_named("Stable Cascade stage C"), False
    if isinstance(noise, CLIPEmbeddingNoiseAugmentation):
        space = space_of_width(noise.time_embed.dim)
        if isinstance(network, SDXL | SDXLRefiner):
            return Reader("SDXL Revision", space), True
        return Reader(UNCLIP.get(space, "this unCLIP model"), space), True
    raise InputError(
        f"the model ({type(network).__name__}) reads no image embedding by itself: connect "
        "ip_adapter and clip_vision, or adapters of the embedded model, or load an unCLIP "
        "checkpoint or SDXL"
    )


def _read(source: Source, vision, reader: str):
    """CLIP_VISION_OUTPUT: the one that is connected, or of the picture."""
    if (source.image is None) == (source.output is None):
        found = "neither" if source.image is None else "both"
        raise InputError(
            f"found {found} of image and clip_vision_output; connect exactly one of them"
        )
    if source.output is not None:
        return source.output
    if vision is None:
        raise InputError(
            f"the picture has to be encoded for {reader}: connect clip_vision, from Load CLIP "
            "Vision or unCLIPCheckpointLoader"
        )
    return read_pictures(vision, colour(source.image))


def _varied(output, reader: Reader, asked: Asked):
    """CLIP_VISION_OUTPUT with noise on it; itself where there is none."""
    embedding = embedding_for(output, reader)
    return output if asked.variety == 0 else VectorOutput(asked.varied(embedding))


def _combine(pictures: int, asked: Asked) -> str:
    if pictures not in (1, asked.count):
        raise InputError(
            f"there are {pictures} pictures for {asked.count} variations; give one, or as many"
        )
    return "concat" if pictures == 1 else "one each"
