"""Attention in every direction."""

import torch
from torch import nn

from mm_core.fusion.inputs import together
from mm_core.fusion.mutual import MutualLayer


def test_each_input_hears_all_others_as_torchs_own_attention_would(three, stirred):
    layer = stirred(MutualLayer(("text", "style", "audio"), 8, 2))
    parts = {e.modality: e for e in together(three)}
    found = layer(parts)
    for name, part in parts.items():
        others = [n for n in parts if n != name]
        mask = torch.cat([parts[n].mask for n in others], 1)
        pairs = [layer.to_kv[n](layer.norm[n](parts[n].tokens)) for n in others]
        k, v = torch.cat(pairs, 1).chunk(2, -1)
        torchs = nn.MultiheadAttention(8, 2, bias=False, batch_first=True)
        with torch.no_grad():
            eye = torch.eye(8)
            torchs.in_proj_weight.copy_(torch.cat([layer.to_q[name].weight, eye, eye]))
            torchs.out_proj.weight.copy_(layer.to_out[name].weight)
        q = layer.norm[name](part.tokens)
        x = part.tokens + torchs(q, k, v, key_padding_mask=~mask, need_weights=False)[0]
        expected = x + layer.feed[name](x)
        torch.testing.assert_close(found[name].tokens[part.mask], expected[part.mask])


def test_an_input_that_is_alone_passes_as_it_is(three, make, stirred):
    block = stirred(make("mutual"))
    alone = block(three[1:2]).embedding.tokens
    marked = three[1].tokens + block.align.mark["style"]
    assert torch.equal(alone[three[1].mask], marked[three[1].mask])


def test_both_directions_are_heard(three, make, stirred):
    block = stirred(make("mutual"))
    text, style = three[0], three[1]
    said = block([text, style]).embedding.tokens
    louder = type(text)("text", text.tokens * 2, text.mask)
    softer = type(style)("style", style.tokens * 2, style.mask)
    assert (block([louder, style]).embedding.tokens - said)[0, 5:7].abs().max() > 1e-3
    assert (block([text, softer]).embedding.tokens - said)[0, :5].abs().max() > 1e-3
