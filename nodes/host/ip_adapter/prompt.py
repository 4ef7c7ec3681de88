"""An image prompt: pictures through an adapter, ready for any UNet that the adapter fits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import comfy.conds
import comfy.model_management
import comfy.utils
import torch
import torch.nn.functional as F

from ....mm_core.adapters.ip_adapter import weight_types
from ....mm_core.adapters.ip_adapter.combine import combine_features, concat_tokens, token_bias
from ....mm_core.adapters.ip_adapter.layout import Layout
from ....mm_core.adapters.ip_adapter.lora import lora_weights
from ....mm_core.adapters.ip_adapter.projection import ImagePrompt, check_prompt, null_prompt
from ....mm_core.adapters.ip_adapter.scaling import SCALINGS
from ....mm_core.errors import InputError
from ....mm_core.guidance.gain import numbers
from .bank import Bank
from .files import HostIPAdapter
from .networks import network_of
from .pictures import blank, features
from .sd3 import TimedBank

COMBINE = ("concat", "one each", "add", "subtract", "average", "norm average")
ABSENT = ("off", "null picture")


@dataclass(frozen=True)
class Style:
    """How pictures become a prompt, as the node has it.

    strength: multiplies what every layer adds. layers: place:weight pairs in place of weight_type.
    absent: what rows without this input hear: nothing, what the adapter was trained to take for no
    picture, or negative, where that is given.
    """

    strength: float = 1.0
    weight_type: str = "linear"
    layers: str = ""
    combine: str = "concat"
    image_weights: str = ""
    scaling: str = "V only"
    crop: str = "center"
    absent: str = "off"
    negative: Any = None
    identity: Any = None
    mask: Any = None


@dataclass
class Frame:
    """The latent's rows and columns in the run that is under way."""

    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class ImagePromptEffect:
    """Tokens of an image prompt (1 or b, n, width), and of its absence.

    Where the adapter's tokens depend on the noise level, features in their place. pictures: how
    many stand side by side in them.
    """

    adapter: HostIPAdapter
    tokens: torch.Tensor
    absent: torch.Tensor | None
    style: Style
    bias: torch.Tensor | None = None
    pictures: int = 1

    @property
    def samples(self) -> torch.Tensor:
        """A tensor as long as the input's batch."""
        return self.tokens

    def bank(self, model) -> Bank | TimedBank:
        """Keys and values for a model's layers. Raises WeightsError where it does not fit."""
        layout, style = self.adapter.layout, self.style
        network = network_of(model, layout)
        at = network.places
        if style.layers.strip():
            by_place = weight_types.from_text(style.layers, at, style.strength)
            turned: frozenset[int] = frozenset()
        else:
            by_place = weight_types.spread(style.weight_type, at, style.strength, style.strength)
            turned = weight_types.turned_round(style.weight_type, at)
        scales = {i: by_place.get(place, 0.0) for i, place in network.place_of.items()}
        if layout.family == "sd35_instantx":
            return TimedBank(self.adapter, self.tokens, self.absent, scales, self.pictures)
        module, device = self.adapter.ready()
        home = comfy.model_management.intermediate_device()

        def keys_values(tokens):
            made = module.keys_values(network.read(tokens.to(device)).to(device))
            return {i: type(kv)(*(part.to(home) for part in kv)) for i, kv in made.items()}

        return Bank(
            keys_values(self.tokens),
            None if self.absent is None else keys_values(self.absent),
            scales,
            style.scaling,
            self.bias,
            frozenset(i for i, place in network.place_of.items() if place in turned),
        )

    def mask_cond(self, frame: Frame):
        """What rows carry of the mask, or None."""
        mask = self.style.mask
        if mask is None:
            return None
        shown = mask if mask.ndim == 3 else mask[None]
        return CONDMask(shown[:, None].float(), frame)


class CONDMask(comfy.conds.CONDRegular):
    """A mask over the whole picture (b or 1, 1, h, w), cut to the part that a row is of."""

    def __init__(self, cond, frame: Frame):
        super().__init__(cond)
        self.frame = frame
        self._fitted = (None, cond)  # a size, and the mask at it

    def _copy_with(self, cond):
        return CONDMask(cond, self.frame)

    def process_cond(self, batch_size, area=None, **kwargs):
        data, size = self.cond, self.frame.size
        if size is not None:
            if self._fitted[0] != size:  # once a run, not once a step
                self._fitted = (size, F.interpolate(data, size, mode="area"))
            data = self._fitted[1]
            if area is not None:
                half = len(area) // 2  # sizes, then where they begin; rows and columns last
                (rows, columns), (top, left) = area[half - 2 : half], area[-2:]
                data = data[..., top : top + rows, left : left + columns]
        return self._copy_with(comfy.utils.repeat_to_batch_size(data, batch_size))


def make_prompt(adapter: HostIPAdapter, vision, image, style: Style) -> ImagePromptEffect:
    """Encodes pictures and projects them. Raises InputError naming what does not fit."""
    layout = adapter.layout
    _check_style(layout, style)
    kinds = {need.kind for need in layout.needs}
    seen = features(vision, image, layout, style.crop) if kinds - {"identity"} else None
    identity = _identity(style.identity) if "identity" in kinds else None
    weights = numbers(style.image_weights, "image weights") if style.image_weights.strip() else None
    prompt, bias = _combined(ImagePrompt(seen, identity), style, weights, layout)
    check_prompt(layout, prompt)
    side_by_side = style.combine != "one each"

    def tokens(one: ImagePrompt):
        if layout.family == "sd35_instantx":
            return concat_tokens(one.features) if side_by_side else one.features
        module, device = adapter.ready()
        moved = ImagePrompt(*(x if x is None else x.to(device) for x in _parts(one)))
        made = module.tokens(moved)
        made = concat_tokens(made) if side_by_side else made
        return made.to(comfy.model_management.intermediate_device())

    absent = None
    if style.negative is not None:
        away = features(vision, style.negative, layout, style.crop)
        absent = tokens(ImagePrompt(away, identity))
    elif style.absent == "null picture":
        none = blank(vision, layout) if seen is not None else None
        absent = tokens(null_prompt(layout, prompt, none))
    present = tokens(prompt)
    count = len(prompt.features) if side_by_side and prompt.features is not None else 1
    return ImagePromptEffect(adapter, present, _as_long(absent, present), style, bias, count)


def with_banks(model, banks: Mapping[str, Any], prompts: Mapping[str, ImagePromptEffect]):
    """A clone of a MODEL that hears these prompts. What FaceID files add to its weights, all rows
    get: it was trained so."""
    groups: dict[Any, dict[str, Any]] = {}
    for name, prompt in prompts.items():
        patch = network_of(model, prompt.adapter.layout).patch
        groups.setdefault(patch, {})[name] = banks[name]
    out = model.clone()
    for patch, several in groups.items():
        out = patch(out, several)
    for prompt in prompts.values():
        layout, lora = prompt.adapter.layout, prompt.adapter.lora
        added = lora_weights(lora, network_of(model, layout).sites)
        whole = {f"diffusion_model.{name}": (w.up @ w.down,) for name, w in added.items()}
        out.add_patches(whole, prompt.style.strength)
    return out


def _check_style(layout: Layout, style: Style) -> None:
    """InputError for choices that mean nothing to an adapter."""
    if layout.family in ("flux_instantx", "sd35_instantx") and style.scaling != SCALINGS[0]:
        raise InputError(
            f"{layout.source} norms its keys, which undoes scaling {style.scaling!r}; choose "
            f"{SCALINGS[0]!r}"
        )
    weighted = bool(style.image_weights.strip()) and style.combine == "concat"
    if layout.model in ("Flux", "SD3.5") and weighted:
        raise InputError(
            f"{layout.source} hears concatenated pictures alike: leave image_weights empty, or "
            "choose average"
        )


def _combined(
    prompt: ImagePrompt, style: Style, weights: Sequence[float] | None, layout: Layout
) -> tuple[ImagePrompt, torch.Tensor | None]:
    """Several pictures as the prompt that the user asked for, and scores for their tokens."""
    if style.combine not in COMBINE:
        raise InputError(f"there is no combination {style.combine!r}; choose {', '.join(COMBINE)}")
    if style.combine in ("concat", "one each"):
        given = prompt.features if prompt.features is not None else prompt.identity
        count = 0 if given is None else len(given)
        if weights is None:
            return prompt, None
        if len(weights) != count:
            raise InputError(
                f"there are {len(weights)} image weights for {count} pictures; give one for each"
            )
        if style.combine == "one each":
            raise InputError(
                "image weights are for pictures that are combined; with one each, use the "
                "weights of the modality"
            )
        return prompt, token_bias(weights, layout.tokens)
    parts = (
        p if p is None else combine_features(p, style.combine, weights) for p in _parts(prompt)
    )
    return ImagePrompt(*parts), None


def _parts(prompt: ImagePrompt):
    return prompt.features, prompt.identity


def _identity(given) -> torch.Tensor:
    if not isinstance(given, torch.Tensor) or given.ndim not in (1, 2):
        raise InputError(
            "this adapter needs face embeddings: connect identity, a tensor of (faces, 512) from "
            f"a face recogniser of yours; found {type(given).__name__}"
        )
    return given[None].float() if given.ndim == 1 else given.float()


def _as_long(absent, present):
    """Tokens of no picture, repeated to as many as there are of pictures."""
    if absent is None or absent.shape[1] == present.shape[1]:
        return absent
    times = -(-present.shape[1] // absent.shape[1])
    return absent.repeat(1, times, 1)[:, : present.shape[1]]
