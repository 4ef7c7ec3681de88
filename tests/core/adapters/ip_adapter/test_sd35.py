"""The joint layers of SD3.5 by their equations, in double precision."""

import layouts
import torch
import torch.nn.functional as F

from mm_core.adapters.ip_adapter.sd35 import before_norm
from mm_core.adapters.ip_adapter.time_resampler import Timed

SHAPES = layouts.instantx_sd35(12, 24, 2, 32, 5, 16, 2, 8)


def rms(x, gain):
    return x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt() * gain


def test_image_queries_hear_image_keys_and_prompt_keys_in_one_softmax(filled, noise):
    adapter, tensors = filled(SHAPES)
    t = {n.removeprefix("ip_adapter.1."): v.double() for n, v in tensors.items()}
    tokens, time = noise(1, 5, 32), noise(1, 24)
    q, k, v = (noise(2, 4, 6, 8) for _ in "qkv")

    m = F.silu(time.double()) @ t["norm_ip.linear.weight"].T + t["norm_ip.linear.bias"]
    shift, scale = m[:, None].chunk(2, -1)
    x = F.layer_norm(tokens.double(), (32,), eps=1e-6) * (1 + scale) + shift
    ip_k, ip_v = x @ t["to_k_ip.weight"].T, x @ t["to_v_ip.weight"].T

    layer = adapter.ip_adapter["1"]
    found = layer(q, k, v, layer.keys_values(Timed(tokens, time)))
    for row in range(2):
        for h in range(4):
            part = slice(8 * h, 8 * h + 8)
            keys = torch.cat(
                [
                    rms(k[row, h].double(), t["norm_k.weight"]),
                    rms(ip_k[0, :, part], t["norm_ip_k.weight"]),
                ]
            )
            values = torch.cat([v[row, h].double(), ip_v[0, :, part]])
            query = rms(q[row, h].double(), t["norm_q.weight"])
            expected = (query @ keys.T / 8**0.5).softmax(-1) @ values
            torch.testing.assert_close(found[row, :, part], expected.float(), atol=1e-5, rtol=1e-4)


def test_every_joint_block_has_its_layer(filled, noise):
    adapter, _ = filled(SHAPES)
    timed = adapter.image_proj(noise(1, 7, 12), torch.tensor([500.0]))
    found = adapter.ip_adapter.keys_values(timed)
    assert found.keys() == {0, 1}
    assert found[0][0].shape == (1, 4, 5, 8)


def test_the_models_own_norm_is_undone_as_far_as_another_norm_hears(filled, noise):
    layer = filled(SHAPES)[0].ip_adapter["0"]
    q, gain = noise(2, 4, 6, 8), 0.5 + noise(8).abs()
    normed = before_norm(rms(q, gain), gain)
    torch.testing.assert_close(layer.norm_q(normed), layer.norm_q(q), atol=1e-5, rtol=1e-5)
    assert before_norm(q, None) is q


def test_another_attention_may_be_used(filled, noise):
    layer = filled(SHAPES)[0].ip_adapter["0"]
    q, k, v, ip = noise(1, 4, 3, 8), noise(1, 4, 3, 8), noise(1, 4, 3, 8), noise(1, 4, 5, 8)
    seen = []

    def attend(q, k, v):
        seen.append((k.shape, v.shape))
        return q

    out = layer(q, k, v, (ip, ip), attend)
    torch.testing.assert_close(out, layer.norm_q(q).transpose(1, 2).flatten(2))
    assert seen == [((1, 4, 8, 8), (1, 4, 8, 8))]
