"""Image prompts in a Flux transformer: XLabs' after its double blocks, InstantX's in every
attention.

Queries are the host's own, after its norm and before rotary positions.
"""

from collections.abc import Mapping, Sequence

import torch
from comfy.ldm.modules.attention import optimized_attention

from ....mm_core.adapters.ip_adapter.flux import instantx_term, xlabs_term
from ....mm_core.adapters.ip_adapter.masks import on_grid
from .attention import CARRIED, GRID, Bank, Carry, add_carry, heard

Banks = Sequence[tuple[str, Bank]]


def patched_xlabs(model, banks: Mapping[str, Bank]):
    """A clone of a MODEL whose double blocks hear these prompts."""
    out = model.clone()
    dit = out.model_options["transformer_options"].get("patches_replace", {}).get("dit", {})
    queries = _Queries()
    for i in range(len(model.model.diffusion_model.double_blocks)):
        here = [(name, bank) for name, bank in banks.items() if bank.scales.get(i)]
        if here:
            key = "double_block", i
            out.set_model_patch_replace(_AfterBlock(i, here, queries, dit.get(key)), "dit", *key)
    out.set_model_attn1_patch(queries)
    return add_carry(out, Carry(tuple(banks), _patch_size(model)))


def patched_instantx(model, banks: Mapping[str, Bank]):
    """A clone of a MODEL whose attentions, in double and single blocks, hear these prompts."""
    out = model.clone()
    beside = _BesideAttention(list(banks.items()), len(model.model.diffusion_model.double_blocks))
    out.set_model_attn1_patch(beside.hear)
    out.set_model_attn1_output_patch(beside.add)
    return add_carry(out, Carry(tuple(banks), _patch_size(model)))


class _Queries:
    """An attn1 patch that hands the image's queries to the block that asked for them."""

    def __call__(self, q, k, v, pe=None, attn_mask=None, extra_options=None):
        asked = extra_options.get(self)
        if asked is not None:
            first, last = image_span(extra_options)
            asked.append(q[:, :, first:last])
        return {}


class _AfterBlock:
    """Replaces one double block: what it gave before, and a term for each prompt."""

    def __init__(self, index: int, banks: Banks, queries: _Queries, earlier):
        self.index, self.banks, self.queries, self.earlier = index, banks, queries, earlier

    def __call__(self, args, extra):
        run = extra["original_block"]
        if self.earlier is not None:
            run = _chained(self.earlier, extra)
        options = args["transformer_options"]
        carried = options.get(CARRIED, {})
        here = [(bank, *carried[name]) for name, bank in self.banks if name in carried]
        if not here:
            return run(args)
        asked: list[torch.Tensor] = []
        out = run({**args, "transformer_options": {**options, self.queries: asked}})
        q, img = asked[-1], out["img"]
        for bank, loud, present, mask in here:
            kv, scale = heard(bank, self.index, loud, present, img)
            term = scale * xlabs_term(q, kv, attend)
            if mask is not None:
                term = term * on_grid(mask[:, 0], *options[GRID]).to(term)
            img = _added(img, 0, term)
        return {**out, "img": img}


class _BesideAttention:
    """A pair of attn1 patches: one hears the prompts with the queries, one adds what was heard."""

    def __init__(self, banks: Banks, doubles: int):
        self.banks, self.doubles = banks, doubles

    def hear(self, q, k, v, pe=None, attn_mask=None, extra_options=None):
        carried = extra_options.get(CARRIED, {})
        index = extra_options["block_index"]
        single = extra_options["block_type"] == "single"
        index += self.doubles if single else 0
        here = [
            (bank, *carried[name])
            for name, bank in self.banks
            if name in carried and bank.scales.get(index)
        ]
        if not here:
            return {}
        first, last = image_span(extra_options)
        start = 0 if single else first  # in single blocks the text asks, too
        total = 0
        for bank, loud, present, mask in here:
            kv, scale = heard(bank, index, loud, present, q)
            term = scale * instantx_term(q[:, :, start:last], kv, attend)
            if mask is not None:
                where = on_grid(mask[:, 0], *extra_options[GRID]).to(term)
                term = term * _with_text(where, first - start)
            total = total + term
        extra_options[self] = start, total
        return {}

    def add(self, attn, extra_options):
        told = extra_options.pop(self, None)
        return attn if told is None else _added(attn, *told)


def attend(q, k, v):
    """The host's attention, heads apart."""
    return optimized_attention(q, k, v, q.shape[1], skip_reshape=True, skip_output_reshape=True)


def image_span(options) -> tuple[int, int]:
    """Where the picture's own tokens are: after the text's, before those of reference latents."""
    first, last = options["img_slice"]
    return first, last - sum(options.get("reference_image_num_tokens", ()))


def _patch_size(model) -> int:
    return model.model.diffusion_model.patch_size


def _added(x, first: int, term):
    """x with a term added to some of its tokens; x itself stays as it is."""
    x = x.clone()
    x[:, first : first + term.shape[1]] += term.to(x)
    return x


def _with_text(where, count: int):
    """A mask over image tokens, and its mean for text tokens: the picture's share that hears."""
    return torch.cat([where.mean(1, keepdim=True).expand(-1, count, -1), where], 1)


def _chained(earlier, extra):
    return lambda args: earlier(args, extra)
