"""An image prompt, ready for any network that its adapter fits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import comfy.conds
import comfy.model_management
import torch
import torch.nn.functional as F

from ....mm_core.adapters.ip_adapter import weight_types
from ....mm_core.adapters.ip_adapter.lora import lora_weights
from ....mm_core.branches.shapes import to_batch
from .bank import Bank
from .files import HostIPAdapter
from .networks import network_of
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

    def check_batch(self, count: int) -> None:
        """InputError unless there is one prompt, or one for each of count images."""
        to_batch(self.samples, count, "the style input")

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
        whole = to_batch(data, batch_size, "the attention_mask of the style input")
        return self._copy_with(whole)


def with_banks(model, banks: Mapping[str, Any], prompts: Mapping[str, ImagePromptEffect]):
    """A clone of a MODEL that hears these prompts. What FaceID files add to its weights, all rows
    get: it was trained so."""
    networks = {name: network_of(model, p.adapter.layout) for name, p in prompts.items()}
    groups: dict[Any, dict[str, Any]] = {}
    for name, network in networks.items():
        groups.setdefault(network.patch, {})[name] = banks[name]
    out = model.clone()
    for patch, several in groups.items():
        out = patch(out, several)
    for name, prompt in prompts.items():
        added = lora_weights(prompt.adapter.lora, networks[name].sites)
        whole = {f"diffusion_model.{weight}": (w.up @ w.down,) for weight, w in added.items()}
        out.add_patches(whole, prompt.style.strength)
    return out
