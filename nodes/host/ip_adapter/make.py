"""Pictures, as a node has them, to an image prompt."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch

from ....mm_core.adapters.ip_adapter.combine import combine_features, concat_tokens, token_bias
from ....mm_core.adapters.ip_adapter.layout import Layout
from ....mm_core.adapters.ip_adapter.projection import ImagePrompt, check_prompt, null_prompt
from ....mm_core.adapters.ip_adapter.scaling import SCALINGS
from ....mm_core.errors import InputError
from ....mm_core.guidance.gain import numbers
from ..patcher import home
from .files import HostIPAdapter
from .pictures import CROPS, blank, features, of_output
from .prompt import COMBINE, ImagePromptEffect, Style

MOST_REPEATS = 8  # of tokens, to bring unlike numbers of pictures to one length


def make_prompt(
    adapter: HostIPAdapter, vision, image, style: Style, output=None
) -> ImagePromptEffect:
    """Encodes pictures and projects them. Raises InputError naming what does not fit.

    output: CLIP_VISION_OUTPUT, in place of image.
    """
    layout = adapter.layout
    _check_style(layout, style)
    if output is not None and style.negative is None and style.crop != CROPS[0]:
        raise InputError(
            f"crop is {style.crop}, and what clip_vision_output holds was cropped when it was "
            f"encoded: set crop back to {CROPS[0]}"
        )
    style = replace(style, mask=_mask(style.mask))
    weights = numbers(style.image_weights, "image weights") if style.image_weights.strip() else None
    seen = None if output is None else of_output(output, layout)
    prompt, tiles = _prompt(vision, image, style, weights, layout, seen=seen)
    present = _tokens(adapter, prompt, style, tiles)
    bias = None
    if weights is not None and style.combine == "concat":
        each = [w for w in weights for _ in range(tiles)]
        bias = token_bias(each, layout.tokens)
    absent = None
    if style.negative is not None:
        away, beside = _prompt(vision, style.negative, style, None, layout, "negative_image")
        absent = _tokens(adapter, away, style, beside)
        if absent.shape[0] not in (1, present.shape[0]):
            raise InputError(
                f"there are {absent.shape[0]} negative pictures for {present.shape[0]} pictures, "
                "one each; give one negative picture, or as many"
            )
    elif style.absent == "null picture":
        none = blank(vision, layout) if prompt.features is not None else None
        absent = _tokens(adapter, null_prompt(layout, prompt, none), style, tiles)
    count = present.shape[1] // _tokens_of_one(layout, prompt)
    if absent is not None:
        longer = present.shape[1]
        present, absent, bias = _as_long(present, absent, bias)
        count = count * present.shape[1] // longer
    return ImagePromptEffect(adapter, present, absent, style, bias, count)


def _prompt(
    vision,
    image,
    style: Style,
    weights: Sequence[float] | None,
    layout: Layout,
    what: str = "image",
    seen: torch.Tensor | None = None,
) -> tuple[ImagePrompt, int]:
    """What encoders say of the pictures as the user wants them combined, and of how many tiles each
    one is. seen: where that is known, (pictures, tiles, ...)."""
    kinds = {need.kind for need in layout.needs}
    identity = _identity(style.identity) if "identity" in kinds else None
    if seen is None and kinds - {"identity"}:
        seen = features(vision, image, layout, style.crop, what)
    tiles = 1 if seen is None else seen.shape[1]
    if seen is not None and identity is not None and (tiles, len(seen)) != (1, len(identity)):
        raise InputError(
            f"{layout.source} needs a face embedding for each picture: found {len(seen)} pictures "
            f"of {tiles} tiles and {len(identity)} embeddings; give as many, with crop center or "
            "pad"
        )
    given = seen if seen is not None else identity
    if weights is not None and len(weights) != len(given):
        raise InputError(
            f"there are {len(weights)} image weights for {len(given)} pictures; give one for each"
        )
    if style.combine in ("concat", "one each"):
        prompt = ImagePrompt(None if seen is None else seen.flatten(0, 1), identity)
    else:  # of tiles, their mean
        parts = (None if seen is None else seen.mean(1), identity)
        prompt = ImagePrompt(
            *(p if p is None else combine_features(p, style.combine, weights) for p in parts)
        )
        tiles = 1
    check_prompt(layout, prompt)
    return prompt, tiles


def _tokens(adapter: HostIPAdapter, prompt: ImagePrompt, style: Style, tiles: int):
    """(1 or pictures, n, width): all side by side, or those of each picture alone."""
    if adapter.layout.family == "sd35_instantx":
        made = prompt.features  # tokens depend on the noise level
    else:
        module, device = adapter.ready()
        parts = prompt.features, prompt.identity
        made = module.tokens(ImagePrompt(*(x if x is None else x.to(device) for x in parts)))
    made = made.to(home())
    if style.combine != "one each":
        return concat_tokens(made)
    return made.unflatten(0, (-1, tiles)).flatten(1, 2)


def _tokens_of_one(layout: Layout, prompt: ImagePrompt) -> int:
    """How many rows of _tokens are of one picture."""
    if layout.family == "sd35_instantx" and prompt.features is not None:
        return prompt.features.shape[1]
    return layout.tokens


def _as_long(present, absent, bias):
    """Both of one length, by repeating each as a whole, which no softmax notices."""
    here, there = present.shape[1], absent.shape[1]
    total = math.lcm(here, there)
    if total > MOST_REPEATS * max(here, there):
        raise InputError(
            f"the pictures have {here} tokens and the negative pictures {there}; give as many "
            "negative pictures as pictures, or one"
        )
    present = present.repeat(1, total // here, 1)
    absent = absent.repeat(1, total // there, 1)
    return present, absent, None if bias is None else bias.repeat(1, 1, total // here)


def _check_style(layout: Layout, style: Style) -> None:
    """InputError for choices that mean nothing to an adapter, or that exclude each other."""
    kinds = {need.kind for need in layout.needs}
    if style.combine not in COMBINE:
        raise InputError(f"there is no combination {style.combine!r}; choose {', '.join(COMBINE)}")
    if style.negative is not None and kinds == {"identity"}:
        raise InputError(
            f"{layout.source} reads a face embedding and no picture, so there is none to push away "
            "from: leave negative_image empty"
        )
    if style.identity is not None and "identity" not in kinds:
        raise InputError(
            f"{layout.source} reads no face embedding: leave identity empty, or choose a FaceID "
            "file"
        )
    if layout.family in ("flux_instantx", "sd35_instantx") and style.scaling != SCALINGS[0]:
        raise InputError(
            f"{layout.source} norms its keys, which undoes scaling {style.scaling!r}; choose "
            f"{SCALINGS[0]!r}"
        )
    if not style.image_weights.strip():
        return
    if any(w < 0 for w in numbers(style.image_weights, "image weights")):
        raise InputError(
            f"the image weights are {style.image_weights}; needed numbers of 0 or more: to push "
            "away from a picture, connect it to negative_image"
        )
    if style.combine == "one each":
        raise InputError(
            "image weights are for pictures that are combined; with one each, use the weights of "
            "the modality"
        )
    if layout.model in ("Flux", "SD3.5") and style.combine == "concat":
        raise InputError(
            f"{layout.source} hears concatenated pictures alike: leave image_weights empty, or "
            "choose average"
        )


def _mask(mask):
    """MASK as (b, h, w), or None."""
    if mask is None:
        return None
    shown = mask[None] if mask.ndim == 2 else mask
    if shown.ndim != 3 or 0 in shown.shape:
        raise InputError(
            f"the attention_mask of the style input is {tuple(mask.shape)}; needed masks, rows and "
            "columns: connect a MASK"
        )
    if not torch.isfinite(shown).all():
        raise InputError(
            "the attention_mask of the style input has numbers that are not finite; connect a MASK "
            "of 0 to 1"
        )
    return shown.float()


def _identity(given) -> torch.Tensor:
    if not isinstance(given, torch.Tensor) or given.ndim not in (1, 2):
        found = tuple(given.shape) if isinstance(given, torch.Tensor) else type(given).__name__
        raise InputError(
            "this adapter needs face embeddings: connect identity, a tensor of (faces, 512) from "
            f"a face recogniser of yours; found {found}"
        )
    if not torch.isfinite(given).all():
        raise InputError("the identity input has numbers that are not finite; make it again")
    return given[None].float() if given.ndim == 1 else given.float()
