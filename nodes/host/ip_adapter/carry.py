"""Image prompts travel with rows: in their conditioning, so that they survive batching, splitting
and cropping. Nothing here waits for a GPU.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import comfy.conds
import comfy.patcher_extension
import torch

APPLY = comfy.patcher_extension.WrappersMP.APPLY_MODEL
RESTING = "mmc_resting"  # the prompts of a guider of ours that do not act at this step


def tags(name: str, strength: float, has_absent: bool, mask=None, each: int = 1) -> dict[str, Any]:
    """What a row's conditioning carries of a prompt: how loud it is, and how present.

    A row without it is silent, or hears what stands for no picture. mask: a COND of its own, or
    None. each: how many images have a prompt of their own; then their numbers travel, too, so that
    whoever cuts the batch cuts them with it.
    """
    loud = 1.0 if has_absent else strength
    told = {_key(name): comfy.conds.CONDRegular(torch.tensor([[[loud, strength]]]))}
    if mask is not None:
        told[_mask_key(name)] = mask
    if each > 1:
        told[_images_key(name)] = numbered(each)
    return told


def numbered(images: int):
    """The number of each image of a batch, as a COND."""
    return comfy.conds.CONDRegular(torch.arange(images).view(-1, 1, 1))


@dataclass(frozen=True)
class Heard:
    """A prompt as the rows of one call hear it. loud, present: (b, 1, 1). mask: (b, 1, h, w).

    images: (b,), whose prompt each hears, where there are several.
    """

    bank: Any
    loud: torch.Tensor
    present: torch.Tensor
    mask: torch.Tensor | None
    images: torch.Tensor | None = None

    def at(self, index: int, like):
        """Keys and values of a layer, and how loud they are; see Bank.heard."""
        return self.bank.heard(index, self.loud, self.present, like, self.images)


@dataclass(frozen=True)
class Call:
    """One call of the network. sigmas: (b,). model: the host's, around the network."""

    x: torch.Tensor
    sigmas: torch.Tensor
    model: Any

    def grid(self, patch: int) -> tuple[int, int]:
        """Rows and columns of a transformer's image tokens, patch cells of the latent a side."""
        rows, columns = self.x.shape[-2:]
        return -(-rows // patch), -(-columns // patch)


Hearing = Callable[[Sequence[Heard], Mapping[str, Any], Call], Mapping[str, Any]]


class Carry:
    """An APPLY_MODEL wrapper that takes what rows carry out of the network's arguments, and lets
    the attention of this call hear it.

    hearing: (what is heard, transformer_options, call) -> options with patches of ours above what
    is in each place. They are not in the MODEL: there is room for one replacement in each place,
    and packs that come later overwrite it, or take it for their own.
    """

    def __init__(self, banks: Mapping[str, Any], hearing: Hearing):
        self.banks, self.hearing = banks, hearing

    def __call__(self, executor, x, t, c_concat=None, c_crossattn=None, control=None,
                 transformer_options={}, **kwargs):  # noqa: B006  # fmt: skip
        options = transformer_options
        resting = options.get(RESTING, ())
        heard = []
        for name, bank in self.banks.items():
            told, mask = kwargs.pop(_key(name), None), kwargs.pop(_mask_key(name), None)
            images = kwargs.pop(_images_key(name), None)
            if told is not None and name not in resting:
                told = told.to(x.device)
                mask = None if mask is None else mask.to(x.device)
                images = None if images is None else images.flatten().to(x.device)
                heard.append(Heard(bank, told[..., :1], told[..., 1:], mask, images))
        if heard:
            options = self.hearing(heard, options, Call(x, t, executor.class_obj))
        return executor(x, t, c_concat, c_crossattn, control, options, **kwargs)


def carrying(model, banks: Mapping[str, Any], hearing: Hearing):
    """A clone of a MODEL whose attention hears these prompts."""
    out = model.clone()
    out.add_wrapper_with_key(APPLY, f"mmc_image_prompts {' '.join(banks)}", Carry(banks, hearing))
    return out


def replaced(options: Mapping[str, Any], where: str, over: Mapping[Any, Any]):
    """Options with other replacements in some of the places of a kind."""
    before = options.get("patches_replace", {})
    here = {**before.get(where, {}), **over}
    return {**options, "patches_replace": {**before, where: here}}


def replacements(options: Mapping[str, Any], where: str) -> Mapping[Any, Any]:
    """What other packs have put in the places of a kind."""
    return options.get("patches_replace", {}).get(where, {})


def appended(options: Mapping[str, Any], patches: Mapping[str, Callable[..., Any]]):
    """Options with a patch more of each name, after those of other packs."""
    before = options.get("patches", {})
    own = {name: [*before.get(name, []), patch] for name, patch in patches.items()}
    return {**options, "patches": {**before, **own}}


def _key(name: str) -> str:
    return f"mmc_image_prompt_{name}"


def _mask_key(name: str) -> str:
    return f"mmc_image_prompt_mask_{name}"


def _images_key(name: str) -> str:
    return f"mmc_image_prompt_images_{name}"
