"""Image prompts in a UNet's text attention, row by row.

What a row hears of each prompt is carried by its conditioning, so that it survives batching,
splitting and cropping; keys and values were made before the run. Nothing here waits for a GPU.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import comfy.conds
import comfy.patcher_extension
import torch
from comfy.ldm.modules.attention import optimized_attention

from ....mm_core.adapters.ip_adapter.attend import ImageTerm, add_images
from ....mm_core.adapters.ip_adapter.keys_values import KV
from ....mm_core.adapters.ip_adapter.masks import on_grid
from ....mm_core.adapters.ip_adapter.scaling import scale_kv
from ....mm_core.adapters.ip_adapter.sites import Site

APPLY = comfy.patcher_extension.WrappersMP.APPLY_MODEL
CARRIED = "mmc_image_prompts"
RESTING = "mmc_resting"  # the prompts of a guider of ours that do not act at this step


@dataclass
class Bank:
    """Keys and values of one image prompt, for every layer that hears it.

    present, absent: by layer index; absent only where something stands for no picture. scales: by
    layer index, what the layer multiplies by. bias: scores added for tokens of weighted pictures.
    """

    present: Mapping[int, KV]
    absent: Mapping[int, KV] | None
    scales: Mapping[int, float]
    scaling: str = "V only"
    bias: torch.Tensor | None = None
    _there: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    def at(self, index: int, like: torch.Tensor) -> tuple[KV, KV | None]:
        """A layer's keys and values on the device and in the precision of its queries; moved once
        a run."""
        absent = self.absent
        return self._once(
            (like.device, like.dtype, index),
            lambda: (
                _moved(self.present[index], like),
                None if absent is None else _moved(absent[index], like),
            ),
        )

    def bias_at(self, like: torch.Tensor) -> torch.Tensor | None:
        """The scores of tokens, likewise."""
        bias = self.bias
        key = like.device, like.dtype, "bias"
        return None if bias is None else self._once(key, lambda: bias.to(like))

    def _once(self, key: tuple[Any, ...], made: Callable[[], Any]) -> Any:
        if key not in self._there:
            self._there[key] = made()
        return self._there[key]

    def forget(self) -> None:
        """Lets go of what was moved."""
        self._there.clear()


def tags(name: str, strength: float, has_absent: bool, mask=None) -> dict[str, Any]:
    """What a row's conditioning carries of a prompt: how loud it is, and how present.

    A row without it is silent, or hears what stands for no picture. mask: a COND of its own, or
    None.
    """
    loud = 1.0 if has_absent else strength
    told = {_key(name): comfy.conds.CONDRegular(torch.tensor([[[loud, strength]]]))}
    return told if mask is None else {**told, _mask_key(name): mask}


def patched(model, banks: Mapping[str, Bank], sites: Sequence[Site]):
    """A clone of a MODEL whose text attention hears these prompts.

    Replacements of other packs go on being called, whether they were there before or come after.
    """
    out = model.clone()
    out.add_wrapper_with_key(APPLY, f"{CARRIED} {' '.join(banks)}", Carry(banks, sites))
    return out


class Carry:
    """An APPLY_MODEL wrapper that takes what rows carry out of the network's arguments, and lets
    the text attention of this call hear it.

    Not a replacement in the MODEL: there is room for one in each place, and packs that come later
    overwrite it, or take it for their own.
    """

    def __init__(self, banks: Mapping[str, Bank], sites: Sequence[Site]):
        self.banks, self.sites = banks, sites

    def __call__(self, executor, x, t, c_concat=None, c_crossattn=None, control=None,
                 transformer_options={}, **kwargs):  # noqa: B006  # fmt: skip
        resting = transformer_options.get(RESTING, ())
        heard = []
        for name, bank in self.banks.items():
            told, mask = kwargs.pop(_key(name), None), kwargs.pop(_mask_key(name), None)
            if told is not None and name not in resting:
                told = told.to(x.device)
                mask = None if mask is None else mask.to(x.device)
                heard.append(Heard(bank, told[..., :1], told[..., 1:], mask))
        options = self._hearing(heard, transformer_options) if heard else transformer_options
        return executor(x, t, c_concat, c_crossattn, control, options, **kwargs)

    def _hearing(self, heard: Sequence["Heard"], options: Mapping[str, Any]):
        """Options with a replacement of ours above what is in each place."""
        replaced = options.get("patches_replace", {})
        before = replaced.get("attn2", {})
        over = dict(before)
        for site in self.sites:
            here = [one for one in heard if one.bank.scales.get(site.index)]
            if here:
                earlier = before.get(site.key) or before.get(site.key[:2])
                over[site.key] = ImageAttention(site.index, here, earlier)
        return {**options, "patches_replace": {**replaced, "attn2": over}}


@dataclass(frozen=True)
class Heard:
    """A prompt as the rows of one call hear it. loud, present: (b, 1, 1). mask: (b, 1, h, w)."""

    bank: Bank
    loud: torch.Tensor
    present: torch.Tensor
    mask: torch.Tensor | None


class ImageAttention:
    """Replaces one text attention: what it gave before, and a term for each prompt."""

    def __init__(self, index: int, heard: Sequence[Heard], earlier):
        self.index, self.heard, self.earlier = index, heard, earlier

    def __call__(self, q, k, v, extra):
        text = (self.earlier or _text)(q, k, v, extra)
        terms = [self._term(one, q, extra) for one in self.heard]
        return add_images(text, q, terms, extra["n_heads"], _attend(extra))

    def _term(self, one: Heard, q, extra) -> ImageTerm:
        bank = one.bank
        kv, none = bank.at(self.index, q)
        kv = KV(*(_rows(part, q.shape[0]) for part in kv))
        if none is not None:
            share = one.present.to(q.dtype)
            kv = KV(*(n + share * (p - n) for p, n in zip(kv, none, strict=True)))
        kv, left = scale_kv(kv, bank.scales[self.index], bank.scaling)
        # At the layer's own rows and columns: the mask is of the part that the row is of.
        grid = extra["activations_shape"][-2:]
        where = None if one.mask is None else on_grid(one.mask[:, 0], *grid)
        return ImageTerm(kv, one.loud.to(q.dtype) * left, where, bank.bias_at(q))


def _text(q, k, v, extra):
    return optimized_attention(
        q, k, v, extra["n_heads"], attn_precision=extra["attn_precision"], transformer_options=extra
    )


def _attend(extra):
    def attend(q, k, v, heads, bias):
        mask = None if bias is None else bias.expand(q.shape[0], q.shape[1], -1)
        return optimized_attention(
            q, k, v, heads, mask=mask, attn_precision=extra["attn_precision"]
        )

    return attend


def _rows(part, count: int):
    """One picture for all images, or one for each in every chunk of the batch."""
    return part if part.shape[0] == 1 else part.repeat(count // part.shape[0], 1, 1)


def _moved(kv: KV, like) -> KV:
    return KV(*(part.to(like) for part in kv))


def _key(name: str) -> str:
    return f"mmc_image_prompt_{name}"


def _mask_key(name: str) -> str:
    return f"mmc_image_prompt_mask_{name}"
