"""Tokens of each family, by the family's equations; and what stands for "no picture"."""

import layouts
import pytest
import torch
import torch.nn.functional as F

from mm_core.adapters.ip_adapter.layout import detect
from mm_core.adapters.ip_adapter.projection import (
    ImagePrompt,
    check_prompt,
    make_projection,
    null_prompt,
)
from mm_core.errors import InputError


def lin(x, t, name):
    return x @ t[f"image_proj.{name}.weight"].T + t.get(f"image_proj.{name}.bias", 0)


def ln(x, t, name):
    return F.layer_norm(
        x, x.shape[-1:], t[f"image_proj.{name}.weight"], t[f"image_proj.{name}.bias"]
    )


def test_base_tokens_are_normed_parts_of_one_projection(filled, tiny, noise):
    adapter, t = filled(layouts.base(12, 64, tokens=3) | tiny)
    x = noise(2, 12)
    expected = ln(lin(x, t, "proj").reshape(2, 3, 64), t, "norm")
    torch.testing.assert_close(adapter.tokens(ImagePrompt(x)), expected)


def test_full_face_makes_a_token_of_each_token(filled, tiny, noise):
    adapter, t = filled(layouts.full(12, 64) | tiny)
    x = noise(2, 9, 12)
    expected = ln(lin(F.gelu(lin(x, t, "proj.0")), t, "proj.2"), t, "proj.3")
    torch.testing.assert_close(adapter.tokens(ImagePrompt(x)), expected)


def test_faceid_takes_the_identity_alone(filled, tiny, noise):
    adapter, t = filled(layouts.faceid(10, 64) | tiny)
    x = noise(2, 10)
    hidden = F.gelu(lin(x, t, "proj.0"))
    expected = ln(lin(hidden, t, "proj.2").reshape(2, 4, 64), t, "norm")
    torch.testing.assert_close(adapter.tokens(ImagePrompt(identity=x)), expected)


def plus_by_hand(t, x, latents, p=""):
    """The resampler with PyTorch's own attention."""
    x = lin(x, t, f"{p}proj_in")
    for i in range(4):
        a, f = f"{p}layers.{i}.0.", f"{p}layers.{i}.1."
        y = ln(latents, t, f"{a}norm2")
        k, v = lin(torch.cat([ln(x, t, f"{a}norm1"), y], 1), t, f"{a}to_kv").chunk(2, -1)
        q = lin(y, t, f"{a}to_q")
        q, k, v = (z.unflatten(-1, (-1, 64)).transpose(1, 2) for z in (q, k, v))
        heard = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        latents = latents + lin(heard, t, f"{a}to_out")
        y = F.gelu(lin(ln(latents, t, f"{f}0"), t, f"{f}1"))
        latents = latents + lin(y, t, f"{f}3")
    return ln(lin(latents, t, f"{p}proj_out"), t, f"{p}norm_out")


def test_plus_tokens_are_resampled_features(filled, tiny, noise):
    adapter, t = filled(layouts.plus(12, 24, 2, 64, tokens=5) | tiny)
    x = noise(2, 9, 12)
    expected = plus_by_hand(t, x, t["image_proj.latents"].expand(2, -1, -1))
    torch.testing.assert_close(adapter.tokens(ImagePrompt(x)), expected, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize(("source", "structure"), [("plus", 1.0), ("plusv2", 1.0), ("plusv2", 0.3)])
def test_faceid_plus_refines_the_identity_and_version_2_adds_it(
    filled, tiny, noise, source, structure
):
    adapter, t = filled(layouts.faceid_plus(10, 12, 64) | tiny, source)
    x, who = noise(2, 9, 12), noise(2, 10)
    own = ln(lin(F.gelu(lin(who, t, "proj.0")), t, "proj.2").reshape(2, 4, 64), t, "norm")
    refined = plus_by_hand(t, x, own, "perceiver_resampler.")
    expected = own + structure * refined if source == "plusv2" else refined
    found = adapter.image_proj(ImagePrompt(x, who), structure=structure)
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=1e-4)


def test_pictures_do_not_see_each_other(filled, tiny, noise):
    adapter, _ = filled(layouts.plus(12, 24, 2, 64) | tiny)
    x = noise(3, 9, 12)
    torch.testing.assert_close(
        adapter.tokens(ImagePrompt(x))[1:2], adapter.tokens(ImagePrompt(x[1:2]))
    )


def test_no_picture_of_the_base_family_is_zeros_through_the_projection(filled, tiny, noise):
    adapter, t = filled(layouts.base(12, 64) | tiny)
    null = null_prompt(adapter.layout, ImagePrompt(noise(2, 12)))
    bias = t["image_proj.proj.bias"].reshape(1, 4, 64).expand(2, -1, -1)
    tokens = adapter.tokens(null)
    torch.testing.assert_close(tokens, ln(bias, t, "norm"))
    assert tokens.norm() > 1


def test_no_picture_of_the_plus_family_is_the_blank_pictures_features(filled, tiny, noise):
    layout, blank = filled(layouts.plus(12, 24, 2, 64) | tiny)[0].layout, noise(1, 9, 12)
    null = null_prompt(layout, ImagePrompt(noise(2, 9, 12)), blank)
    assert torch.equal(null.features, blank.repeat(2, 1, 1))
    with pytest.raises(InputError, match="needs the features of zero pixels for its negative"):
        null_prompt(layout, ImagePrompt(noise(2, 9, 12)))


def test_nobody_is_an_identity_of_zeros(filled, tiny, noise):
    layout = filled(layouts.faceid_plus(10, 12, 64) | tiny)[0].layout
    null = null_prompt(layout, ImagePrompt(noise(1, 9, 12), noise(1, 10)), noise(1, 9, 12))
    assert torch.equal(null.identity, torch.zeros(1, 10))
    alone = filled(layouts.faceid(10, 64) | tiny)[0].layout
    assert null_prompt(alone, ImagePrompt(identity=noise(1, 10))).features is None


def test_a_missing_part_is_asked_for_by_name(filled, tiny, noise):
    layout = filled(layouts.faceid_plus(512, 1280, 64) | tiny, "face.safetensors")[0].layout
    check_prompt(layout, ImagePrompt(noise(1, 257, 1280), noise(1, 512)))
    with pytest.raises(InputError, match=r"needs identity 512 .* given none; connect a face emb"):
        check_prompt(layout, ImagePrompt(noise(1, 257, 1280)))
    with pytest.raises(InputError, match=r"needs penultimate 257x1280 .* none; connect CLIP-H"):
        check_prompt(layout, ImagePrompt(identity=noise(1, 512)))


@pytest.mark.parametrize("name", ["ip-adapter_sd15", "ip-adapter-plus_sd15"])
def test_projections_have_the_names_of_the_published_file(name):
    shapes = layouts.published()[name]
    with torch.device("meta"):
        projection = make_projection(detect(shapes, name))
    found = {f"image_proj.{n}": tuple(t.shape) for n, t in projection.state_dict().items()}
    assert found == {n: s for n, s in shapes.items() if n.startswith("image_proj.")}
