"""Gated cross-attention."""

import torch
from torch import nn

from mm_core.fusion.flamingo import GatedCrossAttention


def test_matches_the_paper_with_torchs_own_attention(noise, stirred):
    layer = stirred(GatedCrossAttention(8, 2))
    y, media = noise(2, 4, 8), noise(2, 5, 8)
    mask = torch.tensor([[True] * 5, [False, True, True, False, False]])
    torchs = nn.MultiheadAttention(8, 2, bias=False, batch_first=True)
    with torch.no_grad():
        torchs.in_proj_weight.copy_(torch.cat([layer.to_q.weight, layer.to_kv.weight]))
        torchs.out_proj.weight.copy_(layer.to_out.weight)
    said = torchs(layer.norm(y), media, media, key_padding_mask=~mask, need_weights=False)[0]
    expected = y + layer.attn_gate.tanh() * said
    expected = expected + layer.ff_gate.tanh() * layer.feed(expected)
    torch.testing.assert_close(layer(y, media, mask[:, None]), expected)


def test_both_gates_start_closed(noise):
    layer = GatedCrossAttention(8, 2)
    assert not layer.attn_gate.any()
    assert not layer.ff_gate.any()
    y = noise(2, 4, 8)
    heard = torch.ones(2, 1, 5, dtype=torch.bool)
    assert torch.equal(layer(y, noise(2, 5, 8), heard), y)


def test_a_token_that_hears_no_medium_passes_as_it_is_whatever_the_gates(noise, stirred):
    layer, y, heard = stirred(GatedCrossAttention(8, 2)), noise(1, 3, 8), torch.ones(1, 3, 5) > 0
    heard[0, 1] = False
    found = layer(y, noise(1, 5, 8), heard)
    assert torch.equal(found[0, 1], y[0, 1])
    assert (found - y)[0, [0, 2]].abs().amin(1).gt(0).all()


def test_the_base_alone_passes_as_it_is_whatever_the_weights(three, make, stirred):
    block = stirred(make("flamingo"))
    absent = type(three[1])("style", three[1].tokens, torch.zeros_like(three[1].mask))
    for inputs in (three[:1], [three[0], absent]):
        found = block(inputs).embedding.tokens
        assert torch.equal(found[three[0].mask], three[0].tokens[three[0].mask])


def test_read_text_hears_only_what_stands_before_it(embed, make, stirred):
    block = stirred(make("flamingo", interleaved=True))
    first, second = embed("text", 1, 2, 8), embed("text", 1, 2, 8)
    one, two, other = (embed("style", 1, 3, 8) for _ in range(3))
    said = block([first, one, first, two, second]).embedding.tokens
    found = block([first, other, first, two, second]).embedding.tokens
    assert torch.equal(said[:, :2], first.tokens)
    assert (said[:, 2:4] - found[:, 2:4]).abs().max() > 1e-3
    torch.testing.assert_close(said[:, 4:], found[:, 4:])
    alone = block([two, second]).embedding.tokens
    torch.testing.assert_close(said[:, 4:], alone)


def test_a_medium_is_resampled_to_the_latents_each_by_itself(embed, make, stirred):
    block = stirred(make("flamingo", latents=3, interleaved=True))
    heard = []
    block.layers[0].register_forward_pre_hook(lambda _, args: heard.append(args[1]))
    block([embed("style", 1, 7, 8), embed("style", 1, 2, 8), embed("text", 1, 2, 8)])
    assert heard[0].shape == (1, 6, 8)


def test_media_have_a_time_where_they_are_not_interleaved(embed, make, stirred):
    block = stirred(make("flamingo"))
    text, one, two = embed("text", 1, 2, 8), embed("style", 1, 3, 8), embed("style", 1, 3, 8)
    said, turned = (block([text, *m]).embedding.tokens for m in ([one, two], [two, one]))
    assert (said - turned).abs().max() > 1e-4


def test_without_text_a_learned_token_hears_the_media(embed, make, stirred):
    block = stirred(make("flamingo", interleaved=True))
    one, two = embed("style", 1, 3, 8), embed("style", 1, 3, 8)
    found = block([one, two]).embedding
    assert found.mask.tolist() == [[True]]
    torch.testing.assert_close(found.tokens, block([two]).embedding.tokens)
    assert (found.tokens[0, 0] - block.stand_in).abs().max() > 1e-3
