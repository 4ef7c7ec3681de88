"""The resampler against its equations, written out in double precision."""

import math

import layouts
import torch
from torch import nn

from mm_core.adapters.ip_adapter.layout import detect
from mm_core.adapters.ip_adapter.resampler import PerceiverAttention, Reader, feed_forward


def normed(x, w, b):
    """LayerNorm by its definition."""
    mean, var = x.mean(-1, keepdim=True), x.var(-1, unbiased=False, keepdim=True)
    return (x - mean) / (var + 1e-5).sqrt() * w + b


def heard(q, k, v, heads):
    """softmax(q k^T / sqrt(e)) v, one head after the other."""
    out = []
    for qh, kh, vh in zip(*(x.chunk(heads, -1) for x in (q, k, v)), strict=True):
        out.append((qh @ kh.mT / math.sqrt(qh.shape[-1])).softmax(-1) @ vh)
    return torch.cat(out, -1)


def test_latents_read_features_and_themselves_keys_before_values(noise):
    layer = PerceiverAttention(24, 128, nn)
    x, latents = noise(2, 5, 24), noise(2, 3, 24)
    t = {n: p.detach().double() for n, p in layer.named_parameters()}
    xn = normed(x.double(), t["norm1.weight"], t["norm1.bias"])
    ln = normed(latents.double(), t["norm2.weight"], t["norm2.bias"])
    both = torch.cat([xn, ln], 1)
    k, v = both @ t["to_kv.weight"][:128].T, both @ t["to_kv.weight"][128:].T
    expected = heard(ln @ t["to_q.weight"].T, k, v, 2) @ t["to_out.weight"].T
    torch.testing.assert_close(layer(x, latents), expected.float())


def test_latents_may_be_changed_before_they_are_read(noise):
    layer, x, latents = PerceiverAttention(24, 64, nn), noise(2, 5, 24), noise(2, 3, 24)
    assert torch.equal(layer(x, latents, lambda y: y), layer(x, latents))
    silenced = layer(x, latents, torch.zeros_like)
    assert torch.equal(silenced, layer(x, noise(2, 3, 24), torch.zeros_like))


def test_feed_forward_has_the_exact_gelu_and_no_biases(noise):
    feed, x = feed_forward(8, 32, nn), noise(2, 3, 8)
    y = normed(x, feed[0].weight, feed[0].bias) @ feed[1].weight.T
    y = 0.5 * y * (1 + torch.erf(y / math.sqrt(2)))
    torch.testing.assert_close(feed(x), y @ feed[3].weight.T)
    assert [n for n, _ in feed.named_parameters()] == ["0.weight", "0.bias", "1.weight", "3.weight"]


def test_half_precision_does_not_overflow_where_scores_are_large(noise):
    layer = PerceiverAttention(24, 64, nn)
    with torch.no_grad():
        layer.to_q.weight.mul_(150)
        layer.to_kv.weight.mul_(150)
    x, latents = noise(1, 5, 24), noise(1, 3, 24)
    assert layer.half()(x.half(), latents.half()).isfinite().all()


def test_depth_heads_and_widths_are_those_of_the_file(noise):
    p = "image_proj."
    shapes = layouts.plus(20, 24, 3, 64, 5) | layouts.perceiver(p, 24, 3, depth=2)
    shapes = {n: s for n, s in shapes.items() if not n.startswith((f"{p}layers.2", f"{p}layers.3"))}
    layout = detect(shapes | layouts.layers([8] * 16, 64), "a")
    reader = Reader(layout, p, nn)
    assert [pair[0].heads for pair in reader.layers] == [3, 3]
    assert reader.read(noise(2, 7, 20), noise(2, 5, 24)).shape == (2, 5, 64)
