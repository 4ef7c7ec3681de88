"""Attention against a loop and against torch's own."""

import math

import torch
from torch import nn

from mm_core.fusion.attention import feed_forward, heads_of, hear, start_at_zero


def plain(q, k, v, heard, heads):
    """One query, one head at a time."""
    out, e = torch.zeros_like(q), q.shape[-1] // heads
    for b in range(len(q)):
        for n in range(q.shape[1]):
            ears = heard[b, min(n, heard.shape[1] - 1)].nonzero()[:, 0].tolist()
            for h in range(heads):
                cut = slice(h * e, (h + 1) * e)
                scores = [float(q[b, n, cut] @ k[b, m, cut]) / math.sqrt(e) for m in ears]
                total = sum(math.exp(s) for s in scores)
                for m, s in zip(ears, scores, strict=True):
                    out[b, n, cut] += math.exp(s) / total * v[b, m, cut]
    return out


def test_hears_what_a_plain_loop_hears(noise, rng):
    q, k, v = (noise(2, n, 6, dtype=torch.float64) for n in (4, 5, 5))
    heard = torch.rand(2, 4, 5, generator=rng) < 0.6
    heard[1, 2] = False
    found = hear(q, k, v, heard, 2)
    torch.testing.assert_close(found, plain(q, k, v, heard, 2))
    assert not found[1, 2].any()


def test_one_mask_for_all_queries_is_that_mask_for_each(noise, rng):
    q, k, v = (noise(2, n, 6) for n in (4, 5, 5))
    heard = torch.rand(2, 1, 5, generator=rng) < 0.6
    torch.testing.assert_close(hear(q, k, v, heard, 3), hear(q, k, v, heard.expand(2, 4, 5), 3))


def test_is_torchs_own_multi_head_attention(noise):
    theirs = nn.MultiheadAttention(8, 2, bias=False, batch_first=True)
    x, media = noise(2, 3, 8), noise(2, 5, 8)
    heard = torch.tensor([[True] * 5, [True, True, False, False, True]])
    to_q, to_k, to_v = theirs.in_proj_weight.chunk(3)
    said = hear(x @ to_q.T, media @ to_k.T, media @ to_v.T, heard[:, None], 2)
    expected = theirs(x, media, media, key_padding_mask=~heard, need_weights=False)[0]
    torch.testing.assert_close(said @ theirs.out_proj.weight.T, expected)


def test_gradients_stay_finite_where_nothing_is_heard(noise):
    q, k, v = (noise(1, 3, 4).requires_grad_() for _ in range(3))
    hear(q, k, v, torch.zeros(1, 1, 3, dtype=torch.bool), 2).sum().backward()
    assert all(not x.grad.any() for x in (q, k, v))


def test_heads_are_runs_of_channels(noise):
    x = noise(2, 3, 6)
    assert torch.equal(heads_of(x, 2)[:, 1], x[..., 3:])


def test_a_feed_forward_that_starts_at_zero_says_nothing(noise):
    feed = feed_forward(4, nn)
    assert feed(noise(1, 2, 4)).any()
    start_at_zero(feed[-1])
    assert not feed(noise(1, 2, 4)).any()
