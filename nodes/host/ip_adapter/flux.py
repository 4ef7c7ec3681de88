"""Image prompts in a Flux transformer: XLabs' after its double blocks, InstantX's in every
attention.

Queries are the host's own, after its norm and before rotary positions.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from comfy.ldm.modules.attention import optimized_attention

from ....mm_core.adapters.ip_adapter.flux import instantx_term, xlabs_term
from ....mm_core.adapters.ip_adapter.masks import on_grid
from .bank import Bank
from .carry import Call, Heard, appended, carrying, replaced, replacements


def patched_xlabs(model, banks: Mapping[str, Bank]):
    """A clone of a MODEL whose double blocks hear these prompts."""
    return carrying(model, banks, partial(_after_blocks, model.model.diffusion_model))


def patched_instantx(model, banks: Mapping[str, Bank]):
    """A clone of a MODEL whose attentions, in double and single blocks, hear these prompts."""
    return carrying(model, banks, partial(_beside_attention, model.model.diffusion_model))


def _after_blocks(network, heard: Sequence[Heard], options: Mapping[str, Any], call: Call):
    before, over = replacements(options, "dit"), {}
    queries, grid = _Queries(), call.grid(network.patch_size)
    for i in range(len(network.double_blocks)):
        here = [one for one in heard if one.bank.scales.get(i)]
        if here:
            key = "double_block", i
            over[key] = _AfterBlock(i, here, queries, grid, before.get(key))
    return replaced(appended(options, {"attn1_patch": queries}), "dit", over)


def _beside_attention(network, heard: Sequence[Heard], options: Mapping[str, Any], call: Call):
    grid = call.grid(network.patch_size)
    beside = _BesideAttention(heard, len(network.double_blocks), grid)
    return appended(options, {"attn1_patch": beside.hear, "attn1_output_patch": beside.add})


class _Queries:
    """An attn1 patch that keeps the image's queries for the block that is under way."""

    last: torch.Tensor

    def __call__(self, q, k, v, pe=None, attn_mask=None, extra_options=None):
        if extra_options["block_type"] == "double":
            first, last = image_span(extra_options)
            self.last = q[:, :, first:last]
        return {}


class _AfterBlock:
    """Replaces one double block: what it gave before, and a term for each prompt."""

    def __init__(self, index: int, heard: Sequence[Heard], queries: _Queries, grid, earlier):
        self.index, self.heard, self.queries = index, heard, queries
        self.grid, self.earlier = grid, earlier

    def __call__(self, args, extra):
        out = self.earlier(args, extra) if self.earlier else extra["original_block"](args)
        img, q = out["img"], self.queries.last
        for one in self.heard:
            kv, scale = one.at(self.index, img)
            term = scale * xlabs_term(q, kv, attend)
            if one.mask is not None:
                term = term * on_grid(one.mask[:, 0], *self.grid).to(term)
            img = _added(img, 0, term)
        return {**out, "img": img}


class _BesideAttention:
    """A pair of attn1 patches: one hears the prompts with the queries, one adds what was heard."""

    def __init__(self, heard: Sequence[Heard], doubles: int, grid):
        self.heard, self.doubles, self.grid = heard, doubles, grid

    def hear(self, q, k, v, pe=None, attn_mask=None, extra_options=None):
        single = extra_options["block_type"] == "single"
        index = extra_options["block_index"] + (self.doubles if single else 0)
        here = [one for one in self.heard if one.bank.scales.get(index)]
        if here:
            first, last = image_span(extra_options)
            start = 0 if single else first  # in single blocks the text asks, too
            terms = [self._term(one, index, q[:, :, start:last], first - start) for one in here]
            extra_options[self] = start, sum(terms)
        return {}

    def add(self, attn, extra_options):
        told = extra_options.pop(self, None)
        return attn if told is None else _added(attn, *told)

    def _term(self, one: Heard, index: int, q, text: int):
        kv, scale = one.at(index, q)
        term = scale * instantx_term(q, kv, attend)
        if one.mask is None:
            return term
        return term * _with_text(on_grid(one.mask[:, 0], *self.grid).to(term), text)


def attend(q, k, v):
    """The host's attention, heads apart."""
    return optimized_attention(q, k, v, q.shape[1], skip_reshape=True, skip_output_reshape=True)


def image_span(options) -> tuple[int, int]:
    """Where the picture's own tokens are: after the text's, before those of reference latents."""
    first, last = options["img_slice"]
    return first, last - sum(options.get("reference_image_num_tokens", ()))


def _added(x, first: int, term):
    """x with a term added to some of its tokens; x itself stays as it is."""
    x = x.clone()
    x[:, first : first + term.shape[1]] += term.to(x)
    return x


def _with_text(where, count: int):
    """A mask over image tokens, and its mean for text tokens: the picture's share that hears."""
    return torch.cat([where.mean(1, keepdim=True).expand(-1, count, -1), where], 1)
