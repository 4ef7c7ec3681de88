"""Image prompts in a UNet's text attention, row by row."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from comfy.ldm.modules.attention import optimized_attention

from ....mm_core.adapters.ip_adapter.attend import ImageTerm, add_images
from ....mm_core.adapters.ip_adapter.masks import on_grid
from ....mm_core.adapters.ip_adapter.sites import Site
from .bank import Bank
from .carry import Call, Heard, carrying, replaced, replacements


def patched_unet(model, banks: Mapping[str, Bank], sites: Sequence[Site]):
    """A clone of a MODEL whose text attention hears these prompts.

    Replacements of other packs go on being called, whether they were there before or come after.
    """
    return carrying(model, banks, partial(_hearing, sites))


def _hearing(sites: Sequence[Site], heard: Sequence[Heard], options: Mapping[str, Any], call: Call):
    before, over = replacements(options, "attn2"), {}
    for site in sites:
        here = [one for one in heard if one.bank.scales.get(site.index)]
        if here:
            earlier = before.get(site.key) or before.get(site.key[:2])
            over[site.key] = ImageAttention(site.index, here, earlier)
    return replaced(options, "attn2", over)


class ImageAttention:
    """Replaces one text attention: what it gave before, and a term for each prompt."""

    def __init__(self, index: int, heard: Sequence[Heard], earlier):
        self.index, self.heard, self.earlier = index, heard, earlier

    def __call__(self, q, k, v, extra):
        text = (self.earlier or _text)(q, k, v, extra)
        terms = [self._term(one, q, extra) for one in self.heard]
        return add_images(text, q, terms, extra["n_heads"], _attend(extra))

    def _term(self, one: Heard, q, extra) -> ImageTerm:
        kv, scale = one.at(self.index, q)
        # At the layer's own rows and columns: the mask is of the part that the row is of.
        grid = extra["activations_shape"][-2:]
        where = None if one.mask is None else on_grid(one.mask[:, 0], *grid)
        return ImageTerm(kv, scale, where, one.bank.bias_at(q))


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
