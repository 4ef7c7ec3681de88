"""Image prompts in SD3.5's joint blocks. Keys and values depend on the noise level: once a call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch

from ....mm_core.adapters.ip_adapter.masks import on_grid
from ....mm_core.adapters.ip_adapter.sd35 import JointLayer, before_norm
from .bank import rows
from .carry import Call, Heard, carrying, replaced, replacements
from .files import HostIPAdapter
from .flux import attend

OVERRIDE = "optimized_attention_override"


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
    _there: dict[Any, torch.Tensor] = field(default_factory=dict)

    def at_time(self, timestep: torch.Tensor) -> dict[int, tuple[Any, Any]]:
        """Block -> keys and values with the picture, and without it or None. timestep: (1,)."""
        present, absent = self._made(self.present, timestep), self._made(self.absent, timestep)
        return {i: (present[i], absent.get(i)) for i in present}

    def layer(self, index: int) -> JointLayer:
        return self.adapter.patcher.model.ip_adapter[str(index)]

    def forget(self) -> None:
        """Lets go of what was moved."""
        self._there.clear()

    def _made(self, features, timestep) -> dict[int, Any]:
        if features is None:
            return {}
        key = timestep.device, id(features)
        if key not in self._there:
            apart = features.unflatten(1, (self.pictures, -1)).flatten(0, 1)
            self._there[key] = apart.to(timestep.device)
        apart, module = self._there[key], self.adapter.patcher.model
        timed = module.image_proj(apart, timestep.expand(len(apart)))
        return {i: self._beside(kv) for i, kv in module.ip_adapter.keys_values(timed).items()}

    def _beside(self, kv):
        """(b * pictures, heads, n, e) -> (b, heads, pictures * n, e)."""
        apart = (x.unflatten(0, (-1, self.pictures)) for x in kv)
        return tuple(x.transpose(1, 2).flatten(2, 3) for x in apart)


def patched_sd3(model, banks: Mapping[str, TimedBank]):
    """A clone of a MODEL whose joint blocks hear these prompts. The adapters are loaded with it."""
    out = carrying(model, banks, partial(_hearing, model.model.diffusion_model))
    for name, bank in banks.items():
        out.set_additional_models(f"mmc_image_prompt {name}", [bank.adapter.patcher])
    return out


def _hearing(network, heard: Sequence[Heard], options: Mapping[str, Any], call: Call):
    timestep = call.model.model_sampling.timestep(call.sigmas[:1]).float()
    timed = [one.bank.at_time(timestep) for one in heard]
    before, over = replacements(options, "dit"), {}
    grid = call.grid(network.x_embedder.patch_size[0])
    for i, block in enumerate(network.joint_blocks):
        here = [
            (one, *kv[i]) for one, kv in zip(heard, timed, strict=True) if one.bank.scales.get(i)
        ]
        if here:
            key = "double_block", i
            over[key] = _BesideBlock(i, here, block.x_block.attn, grid, before.get(key))
    return replaced(options, "dit", over)


class _BesideBlock:
    """Replaces one joint block: inside it, the attention hears each prompt beside what it heard."""

    def __init__(self, index: int, heard, attention, grid, earlier):
        self.index, self.heard, self.grid, self.earlier = index, heard, grid, earlier
        self.norms = attention.ln_q, attention.ln_k

    def __call__(self, args, extra):
        options = args["transformer_options"]
        inside = _Override(self, options.get(OVERRIDE), args["img"].shape[1])
        args = {**args, "transformer_options": {**options, OVERRIDE: inside}}
        return self.earlier(args, extra) if self.earlier else extra["original_block"](args)

    def terms(self, q, k, v):
        """What the image tokens hear, (b, n, w) for each prompt. q, k, v: theirs, heads apart."""
        q, k = (
            before_norm(x, getattr(norm, "weight", None))
            for x, norm in zip((q, k), self.norms, strict=True)
        )
        for one, kv, none in self.heard:
            prompt = [rows(x.to(q), len(q), one.images) for x in kv]
            if none is not None:
                share = one.present[..., None].to(q)
                none = (rows(x.to(q), len(q), one.images) for x in none)
                prompt = [n + share * (p - n) for p, n in zip(prompt, none, strict=True)]
            term = one.bank.layer(self.index)(q, k, v, tuple(prompt), attend)
            term = one.loud.to(term) * one.bank.scales[self.index] * term
            if one.mask is not None:
                term = term * on_grid(one.mask[:, 0], *self.grid).to(term)
            yield term


class _Override:
    """The attention of one block. Only the call over text and image is added to."""

    def __init__(self, block: _BesideBlock, earlier, count: int):
        self.block, self.earlier, self.count = block, earlier, count

    def __call__(self, attention, q, k, v, heads, *args, **kwargs):
        run = partial(self.earlier, attention) if self.earlier else attention
        out = run(q, k, v, heads, *args, **kwargs)
        if q.shape[1] == self.count:  # image tokens alone
            return out
        image = (_heads(x[:, -self.count :], heads) for x in (q, k, v))
        out = out.clone()
        for term in self.block.terms(*image):
            out[:, -self.count :] += term.to(out)
        return out


def _heads(x, heads: int):
    """(b, n, w), or with heads apart already as the host has values, to (b, heads, n, e)."""
    return x.reshape(*x.shape[:2], heads, -1).transpose(1, 2)
