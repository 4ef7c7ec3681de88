"""Image prompts in SD3.5's joint blocks. Keys and values depend on the noise level: once a call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from ....mm_core.adapters.ip_adapter.masks import on_grid
from ....mm_core.adapters.ip_adapter.sd35 import JointLayer, before_norm
from .attention import CARRIED, GRID, Carry, add_carry
from .files import HostIPAdapter
from .flux import attend

TIMED = "mmc_image_prompt_keys"


@dataclass
class TimedBank:
    """One image prompt's features, to be made keys and values of at each noise level.

    present, absent: (1 or b, pictures * n, width). pictures: how many are heard side by side.
    """

    adapter: HostIPAdapter
    present: torch.Tensor
    absent: torch.Tensor | None
    scales: Mapping[int, float]
    pictures: int = 1
    _there: dict[Any, Any] = field(default_factory=dict)

    def at_time(self, timestep: torch.Tensor) -> dict[int, Any]:
        """Block -> keys and values with the picture, and without or None. timestep: (1,)."""
        module = self.adapter.patcher.model

        def made(features):
            if features is None:
                return dict.fromkeys(module.layout.widths)
            rows = features.unflatten(1, (self.pictures, -1)).flatten(0, 1)
            timed = module.image_proj(rows, timestep.expand(len(rows)))
            return {i: self._beside(kv) for i, kv in module.ip_adapter.keys_values(timed).items()}

        present, absent = (made(self._on(f, timestep)) for f in (self.present, self.absent))
        return {i: (kv, absent[i]) for i, kv in present.items()}

    def layer(self, index: int) -> JointLayer:
        return self.adapter.patcher.model.ip_adapter[str(index)]

    def forget(self) -> None:
        """Lets go of what was moved."""
        self._there.clear()

    def _on(self, features, like):
        if features is None:
            return None
        key = like.device, id(features)
        if key not in self._there:
            self._there[key] = features.to(like.device)
        return self._there[key]

    def _beside(self, kv):
        """(b * pictures, heads, n, e) -> (b, heads, pictures * n, e)."""
        return tuple(x.unflatten(0, (-1, self.pictures)).transpose(1, 2).flatten(2, 3) for x in kv)


def patched_sd3(model, banks: Mapping[str, TimedBank]):
    """A clone of a MODEL whose joint blocks hear these prompts."""
    out = model.clone()
    dit = out.model_options["transformer_options"].get("patches_replace", {}).get("dit", {})
    blocks = model.model.diffusion_model.joint_blocks
    for i, block in enumerate(blocks):
        here = [(name, bank) for name, bank in banks.items() if bank.scales.get(i)]
        if here:
            key = "double_block", i
            heard = _BesideBlock(i, here, block.x_block.attn, dit.get(key))
            out.set_model_patch_replace(heard, "dit", *key)
    patch = model.model.diffusion_model.x_embedder.patch_size[0]
    return add_carry(out, _TimedCarry(banks, patch))


class _TimedCarry(Carry):
    """Makes keys and values of the noise level, for the prompts that some row carries."""

    def __init__(self, banks: Mapping[str, TimedBank], patch: int):
        super().__init__(tuple(banks), patch)
        self.banks = banks

    def told(self, executor, x, t, options, kwargs):
        options = super().told(executor, x, t, options, kwargs)
        here = self.banks.keys() & options[CARRIED].keys()
        if not here:
            return options
        timestep = executor.class_obj.model_sampling.timestep(t[:1]).float()
        made = {name: self.banks[name].at_time(timestep) for name in here}
        return {**options, TIMED: {**options.get(TIMED, {}), **made}}


class _BesideBlock:
    """Replaces one joint block: inside it, the attention hears each prompt beside what it heard."""

    def __init__(self, index: int, banks: Sequence[tuple[str, TimedBank]], attention, earlier):
        self.index, self.banks, self.attention, self.earlier = index, banks, attention, earlier

    def __call__(self, args, extra):
        run, earlier = extra["original_block"], self.earlier
        if earlier is not None:
            run = lambda args: earlier(args, extra)  # noqa: E731
        options = args["transformer_options"]
        carried = options.get(CARRIED, {})
        here = [(bank, name, *carried[name]) for name, bank in self.banks if name in carried]
        if not here:
            return run(args)
        inner = _Override(self, here, options, args["img"].shape[1])
        return run({**args, "transformer_options": {**options, OVERRIDE: inner}})

    def models(self):
        """What must be loaded beside the network."""
        return [bank.adapter.patcher for _, bank in self.banks]

    def term(self, bank: TimedBank, name, loud, present, mask, options, parts):
        """What the image tokens hear, (b, n, w). parts: their queries, keys and values, heads
        apart."""
        q, k, v = parts
        kv, none = options[TIMED][name][self.index]
        kv = [_rows(x.to(q), len(q)) for x in kv]
        if none is not None:
            share = present[..., None].to(q)
            kv = [n + share * (p - n) for p, n in zip(kv, (x.to(q) for x in none), strict=True)]
        norms = self.attention.ln_q, self.attention.ln_k
        gains = [getattr(norm, "weight", None) for norm in norms]
        q, k = (before_norm(x, gain) for x, gain in zip((q, k), gains, strict=True))
        term = bank.layer(self.index)(q, k, v, (kv[0], kv[1]), attend)
        term = loud.to(term) * bank.scales[self.index] * term
        return term if mask is None else term * on_grid(mask[:, 0], *options[GRID]).to(term)


OVERRIDE = "optimized_attention_override"


class _Override:
    """The host's attention inside one block. Only the call over text and image is added to."""

    def __init__(self, block: _BesideBlock, here, options, count: int):
        self.block, self.here, self.options, self.count = block, here, options, count

    def __call__(self, attention, q, k, v, heads, *args, **kwargs):
        before = self.options.get(OVERRIDE)
        run = attention if before is None else _bound(before, attention)
        out = run(q, k, v, heads, *args, **kwargs)
        if q.shape[1] == self.count:  # image tokens alone
            return out
        parts = [_heads(x[:, -self.count :], heads) for x in (q, k, v)]
        out = out.clone()
        for bank, name, loud, present, mask in self.here:
            told = loud, present, mask, self.options
            out[:, -self.count :] += self.block.term(bank, name, *told, parts).to(out)
        return out


def _heads(x, heads: int):
    """(b, n, w), or with heads apart already as the host has values, to (b, heads, n, e)."""
    return x.reshape(*x.shape[:2], heads, -1).transpose(1, 2)


def _bound(override, attention):
    return lambda *args, **kwargs: override(attention, *args, **kwargs)


def _rows(part, count: int):
    """One picture for all images, or one for each in every chunk of the batch."""
    return part if part.shape[0] == 1 else part.repeat(count // part.shape[0], 1, 1, 1)
