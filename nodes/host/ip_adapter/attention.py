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
GRID = "mmc_grid"  # rows and columns of a transformer's image tokens
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
    turned: frozenset[int] = frozenset()
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
    """A clone of a MODEL whose text attention hears these prompts. Patches of other packs at the
    same places go on being called."""
    out = model.clone()
    before = out.model_options["transformer_options"].get("patches_replace", {}).get("attn2", {})
    for site in sites:
        heard = [(name, bank) for name, bank in banks.items() if bank.scales.get(site.index)]
        if heard:
            earlier = before.get(site.key) or before.get(site.key[:2])
            out.set_model_attn2_replace(ImageAttention(site.index, heard, earlier), *site.key)
    return add_carry(out, Carry(tuple(banks)))


def add_carry(model, carry: "Carry"):
    """The same MODEL, with what rows carry handed on to its attention."""
    model.add_wrapper_with_key(APPLY, f"{CARRIED} {' '.join(carry.names)}", carry)
    return model


class Carry:
    """An APPLY_MODEL wrapper that takes what rows carry out of the network's arguments.

    patch: side of a transformer's image tokens, in latent cells.
    """

    def __init__(self, names: Sequence[str], patch: int = 1):
        self.names, self.patch = names, patch

    def __call__(self, executor, x, t, c_concat=None, c_crossattn=None, control=None,
                 transformer_options={}, **kwargs):  # noqa: B006  # fmt: skip
        options = self.told(executor, x, t, transformer_options, kwargs)
        return executor(x, t, c_concat, c_crossattn, control, options, **kwargs)

    def told(self, executor, x, t, options, kwargs):
        """Options for the network; what rows carry is taken out of kwargs."""
        carried = dict(options.get(CARRIED, {}))
        resting = options.get(RESTING, ())
        for name in self.names:
            told, mask = kwargs.pop(_key(name), None), kwargs.pop(_mask_key(name), None)
            if told is not None and name not in resting:
                told = told.to(x.device)
                mask = None if mask is None else mask.to(x.device)
                carried[name] = (told[..., :1], told[..., 1:], mask)
        grid = tuple(-(-side // self.patch) for side in x.shape[-2:])
        return {**options, CARRIED: carried, GRID: grid}


class ImageAttention:
    """Replaces one text attention: what it gave before, and a term for each prompt."""

    def __init__(self, index: int, heard: Sequence[tuple[str, Bank]], earlier):
        self.index, self.heard, self.earlier = index, heard, earlier

    def __call__(self, q, k, v, extra):
        text = (self.earlier or _text)(q, k, v, extra)
        carried = extra.get(CARRIED, {})
        terms = [
            self._term(bank, *carried[name], q, extra)
            for name, bank in self.heard
            if name in carried
        ]
        heads = extra["n_heads"]
        return add_images(text, q, terms, heads, _attend(extra)) if terms else text

    def _term(self, bank: Bank, loud, present, mask, q, extra) -> ImageTerm:
        kv, scale = heard(bank, self.index, loud, present, q)
        # At the layer's own rows and columns: the mask is of the part that the row is of.
        where = None if mask is None else on_grid(mask[:, 0], *extra["activations_shape"][-2:])
        return ImageTerm(kv, scale, where, bank.bias_at(q))


def heard(bank: Bank, index: int, loud, present, like) -> tuple[KV, torch.Tensor]:
    """What the rows of a batch hear of a prompt at one layer, and how loud: (b, 1, 1).

    like: a tensor of the layer's, whose first axis is the batch.
    """
    kv, none = bank.at(index, like)
    kv = KV(*(_rows(part, like.shape[0]) for part in kv))
    if index in bank.turned:
        loud = 1 - present
    elif none is not None:
        share = present.to(like.dtype)
        kv = KV(*(n + share * (p - n) for p, n in zip(kv, none, strict=True)))
    kv, left = scale_kv(kv, bank.scales[index], bank.scaling)
    return kv, loud.to(like.dtype) * left


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
