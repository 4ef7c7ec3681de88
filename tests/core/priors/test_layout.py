"""What a file is, from published shapes written out here."""

import pytest

from mm_core.errors import WeightsError
from mm_core.priors.layout import check_space, detect
from mm_core.priors.space import CLIP_BIGG, CLIP_H, CLIP_L


def linear(name, out, given):
    return {f"{name}.weight": (out, given), f"{name}.bias": (out,)}


def published(dim, layers=20, width=2048):
    out = {
        "positional_embedding": (1, 81, width),
        "prd_embedding": (1, 1, width),
        "clip_mean": (1, dim),
        "clip_std": (1, dim),
        "norm_out.weight": (width,),
        "norm_out.bias": (width,),
    }
    out |= linear("time_embedding.linear_1", width, width)
    out |= linear("time_embedding.linear_2", width, width)
    for name in ("proj_in", "embedding_proj", "encoder_hidden_states_proj"):
        out |= linear(name, width, dim)
    out |= linear("proj_to_clip_embeddings", dim, width)
    for k in range(layers):
        p = f"transformer_blocks.{k}."
        for name in ("attn1.to_q", "attn1.to_k", "attn1.to_v", "attn1.to_out.0"):
            out |= linear(p + name, width, width)
        out |= linear(f"{p}ff.net.0.proj", 4 * width, width)
        out |= linear(f"{p}ff.net.2", width, 4 * width)
        for name in ("norm1", "norm3"):
            out |= {f"{p}{name}.weight": (width,), f"{p}{name}.bias": (width,)}
    return out


@pytest.mark.parametrize(("dim", "space"), [(768, CLIP_L), (1280, CLIP_BIGG)])
def test_published_priors_are_known_by_their_shapes(dim, space):
    layout = detect(published(dim), "a.safetensors")
    sizes = layout.sizes
    assert (layout.family, layout.space, layout.original) == ("transformer", space, False)
    assert (sizes.dim, sizes.width, sizes.heads, sizes.layers, sizes.tokens) == (
        dim, 2048, 32, 20, 77,
    )  # fmt: skip
    assert str(layout) == f"prior transformer of {space.name}, width {dim}"


@pytest.mark.parametrize("gone", ["clip_mean", "clip_std"])
def test_a_file_without_statistics_is_refused(gone):
    shapes = published(768)
    del shapes[gone]
    with pytest.raises(WeightsError, match=rf"a\.safetensors lacks {gone}, without which its"):
        detect(shapes, "a.safetensors")


@pytest.mark.parametrize("width", [60, 64, 80, 1024])
def test_heads_that_no_tensor_tells_are_asked_for(width):
    """A width of 80 may be shared by 1, 2, 4, 5 heads or more, and each is another network."""
    said = rf"a\.safetensors has width {width}, and no tensor tells .* known is 32 for width 2048"
    with pytest.raises(WeightsError, match=said):
        detect(published(768, 1, width), "a.safetensors")
    for heads in (1, 2, 4):
        assert detect(published(768, 1, width), "a.safetensors", heads).sizes.heads == heads


@pytest.mark.parametrize("heads", [7, -1, 4096])
def test_heads_that_cannot_share_the_width_are_refused(heads):
    with pytest.raises(WeightsError, match=f"{heads} heads cannot share the width 2048"):
        detect(published(768), "a.safetensors", heads)


def test_statistics_of_another_clip_are_refused():
    with pytest.raises(WeightsError, match=r"clip_std is \(1, 1280\), expected \(1, 768\)"):
        detect(published(768) | {"clip_std": (1, 1280)}, "a.safetensors")


def test_a_prior_of_another_space_is_refused_with_both_widths():
    layout = detect(published(768), "karlo.safetensors")
    with pytest.raises(WeightsError) as e:
        check_space(layout, CLIP_BIGG)
    for said in ("768", "1280", "karlo.safetensors", "choose the prior of Kandinsky 2.2"):
        assert said in str(e.value)
    with pytest.raises(WeightsError, match="choose another prior"):
        check_space(layout, CLIP_H)
    check_space(layout, CLIP_L)


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ({}, r"is no prior: none of its 0 tensors \(such as none\)"),
        ({"ip_adapter.1.to_k_ip.weight": (320, 768)}, "choose a Karlo, Kandinsky 2 or LAION"),
        (
            {n: s for n, s in published(768, 3).items() if "blocks.1." not in n},
            r"it has the layers \[0, 2\]; download it again",
        ),
        (
            published(768) | {"positional_embedding": (1, 4, 2048)},
            "has 4 places, needed more than 4",
        ),
        (published(768) | {"proj_to_clip_embeddings.weight": (768,)}, "needed 2 dimensions"),
        (
            {n: s for n, s in published(768).items() if n != "positional_embedding"},
            "is incomplete: missing positional_embedding",
        ),
        (
            published(1, 1, 64) | {"proj_to_clip_embeddings.weight": (1, 2**33)},
            "width 8589934592 th",
        ),
        (
            {n: s for n, s in published(8, 1, 64).items() if "blocks" not in n}
            | {f"transformer_blocks.{k}.x": (1,) for k in range(9999)},
            "layers 9999 that it claims",
        ),
        (
            {"net.learned_query": (), "net.to_time_embeds.0.weight": (1000, 768)},
            r"learned_query has the shape \(\)",
        ),
        (
            {"net.learned_query": (768,), "net.to_time_embeds.0.weight": (0, 768)},
            r"to_time_embeds\.0\.weight has the shape \(0, 768\)",
        ),
        ({"net.learned_query": (768,)}, "a LAION prior of continuous time"),
    ],
)
def test_what_is_no_whole_prior_is_refused(shapes, said):
    with pytest.raises(WeightsError, match=said) as e:
        detect(shapes, "a.safetensors")
    assert "\n" not in str(e.value)


def test_of_a_laion_checkpoint_the_averaged_weights_are_taken():
    names = ("net.learned_query", "net.to_time_embeds.0.weight")
    one = {f"model.{n}": (768,) if "query" in n else (1000, 768) for n in names}
    both = one | {n.replace("model.", "ema_model."): s for n, s in one.items()} | {"clip.x": (1,)}
    assert detect(one, "a").prefix == "model.net."
    layout = detect(both, "a")
    assert (layout.family, layout.space, layout.prefix) == ("dalle2", CLIP_L, "ema_model.net.")
    assert set(layout.shapes) == {"learned_query", "to_time_embeds.0.weight"}
    assert str(layout) == "LAION's DALL-E 2 prior of OpenAI CLIP ViT-L/14, width 768"
