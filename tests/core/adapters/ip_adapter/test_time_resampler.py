"""The resampler of SD3.5 by its equations, in double precision."""

import layouts
import pytest
import torch
import torch.nn.functional as F

from mm_core.adapters.ip_adapter.time_resampler import cosines_and_sines

SHAPES = layouts.instantx_sd35(12, 24, 2, 32, 5, 16, 2, 8)


def lin(x, t, name):
    return x @ t[f"image_proj.{name}.weight"].T + t.get(f"image_proj.{name}.bias", 0)


def ln(x, t, name):
    return F.layer_norm(
        x, x.shape[-1:], t[f"image_proj.{name}.weight"], t[f"image_proj.{name}.bias"]
    )


def by_hand(t, x, timestep):
    """Tokens and time, from the equations."""
    angle = timestep[:, None] * 10000 ** (-torch.arange(8, dtype=torch.float64) / 8)
    time = lin(torch.cat([angle.cos(), angle.sin()], 1), t, "time_embedding.linear_1")
    time = lin(F.silu(time), t, "time_embedding.linear_2")
    x = lin(x, t, "proj_in") + time[:, None]
    latents = t["image_proj.latents"].expand(len(x), -1, -1)
    for i in range(4):
        a, f = f"layers.{i}.0.", f"layers.{i}.1."
        shift, scale, shift2, scale2 = lin(F.silu(time), t, f"layers.{i}.2.1")[:, None].chunk(4, -1)
        y = ln(latents, t, f"{a}norm2") * (1 + scale) + shift
        k, v = lin(torch.cat([ln(x, t, f"{a}norm1"), y], 1), t, f"{a}to_kv").chunk(2, -1)
        q = lin(y, t, f"{a}to_q")
        q, k, v = (z.unflatten(-1, (-1, 64)).transpose(1, 2) for z in (q, k, v))
        heard = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        latents = latents + lin(heard, t, f"{a}to_out")
        y = ln(latents, t, f"{f}0") * (1 + scale2) + shift2
        latents = latents + lin(F.gelu(lin(y, t, f"{f}1")), t, f"{f}3")
    return ln(lin(latents, t, "proj_out"), t, "norm_out"), time


def test_tokens_are_the_equations_at_each_timestep(filled, noise):
    adapter, t = filled(SHAPES)
    x, timestep = noise(2, 7, 12), torch.tensor([3.0, 999.0])
    found = adapter.image_proj(x, timestep)
    tokens, time = by_hand({n: v.double() for n, v in t.items()}, x.double(), timestep.double())
    torch.testing.assert_close(found.tokens, tokens.float(), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.time, time.float(), atol=1e-4, rtol=1e-4)
    assert found.tokens.shape == (2, 5, 32)


def test_every_row_has_its_own_time(filled, noise):
    resampler, x = filled(SHAPES)[0].image_proj, noise(1, 7, 12).expand(2, -1, -1)
    both = resampler(x, torch.tensor([10.0, 700.0])).tokens
    torch.testing.assert_close(both[1:], resampler(x[1:], torch.tensor([700.0])).tokens)
    assert not torch.allclose(both[0], both[1])


def test_time_0_is_cosines_of_1_before_sines_of_0():
    assert cosines_and_sines(torch.zeros(1), 6).tolist() == [[1, 1, 1, 0, 0, 0]]
    assert cosines_and_sines(torch.ones(1), 2)[0].tolist() == pytest.approx([0.540302, 0.841471])
