"""The resampler against torch's own attention, and in time."""

import torch
from torch import nn

from mm_core.fusion.frames import frames_of
from mm_core.fusion.resampler import PerceiverAttention, Resampler


def test_attention_is_torchs_own_over_media_and_latents(noise, stirred):
    layer = stirred(PerceiverAttention(8, 2))
    media, latents = noise(2, 5, 8), noise(2, 3, 8)
    mask = torch.tensor([[True] * 5, [True, False, True, False, False]])
    torchs = nn.MultiheadAttention(8, 2, bias=False, batch_first=True)
    with torch.no_grad():
        torchs.in_proj_weight.copy_(torch.cat([layer.to_q.weight, layer.to_kv.weight]))
        torchs.out_proj.weight.copy_(layer.to_out.weight)
    heard = torch.cat([layer.norm_media(media), layer.norm_latents(latents)], 1)
    silent = torch.cat([~mask, torch.zeros(2, 3, dtype=torch.bool)], 1)
    q = layer.norm_latents(latents)
    expected = torchs(q, heard, heard, key_padding_mask=silent, need_weights=False)[0]
    torch.testing.assert_close(layer(media, latents, mask), expected)


def test_the_weights_have_the_published_names():
    names = set(Resampler(8, 3, 2, 2).state_dict())
    inside = {
        f"layers.1.0.{name}"
        for name in ("norm_media.weight", "norm_latents.bias", "to_q.weight", "to_kv.weight")
    }
    assert {"latents", "layers.1.1.0.weight", "layers.1.1.1.weight", "layers.1.1.3.weight"} <= names
    assert inside | {"layers.0.0.to_out.weight", "norm.weight"} <= names
    assert len(names) == 1 + 2 * (7 + 4) + 2


def test_any_number_of_tokens_becomes_a_fixed_few_whatever_their_order(noise, rng):
    resampler = Resampler(8, 3, 2, 2)
    for n in (1, 4, 50):
        assert resampler(noise(2, n, 8), torch.ones(2, n, dtype=torch.bool)).shape == (2, 3, 8)
    x, mask = noise(1, 6, 8), torch.tensor([[True] * 4 + [False] * 2])
    turned = torch.randperm(6, generator=rng)
    torch.testing.assert_close(resampler(x[:, turned], mask[:, turned]), resampler(x, mask))


def test_frames_in_another_order_say_something_else_once_they_have_a_time(embed, make, stirred):
    block = make("resampler", frames=3)
    frames = frames_of(embed("style", 1, 6, 8), 3)
    nn.init.normal_(block.to_out.weight)
    said, turned = (block(f).embedding.tokens for f in (frames, frames[::-1]))
    torch.testing.assert_close(said, turned)
    block = stirred(block)
    said, turned = (block(f).embedding.tokens for f in (frames, frames[::-1]))
    assert (said - turned).abs().max() > 1e-3


def test_more_frames_than_the_block_was_made_for_are_heard(embed, make, stirred):
    block = stirred(make("resampler", frames=2))
    found = block(frames_of(embed("style", 1, 10, 8), 5)).embedding
    assert found.tokens.shape == (1, 16, 8)
    assert found.tokens.isfinite().all()


def test_a_sample_without_any_input_says_nothing(embed, make, stirred):
    found = stirred(make("resampler"))([embed("style", 2, 3, 8, (3, 0))]).embedding
    assert found.mask.all(1).tolist() == [True, False]
    assert not found.tokens[1].any()
