"""Which embedding fits which reader."""

import pytest
import torch

from mm_core.errors import InputError
from mm_core.priors.space import (
    CLIP_BIGG,
    CLIP_H,
    CLIP_L,
    EMBEDDED,
    READERS,
    ImageEmbedding,
    Reader,
    Space,
    check_fits,
    reader_named,
    readers_of,
    space_of_width,
)

# As published: prior, encoder and readers. Written from the models' own pages.
TABLE = {
    CLIP_L: {"SD2.1-unCLIP-L", "Stable Cascade stage C", "XLabs Flux IP-Adapter"},
    CLIP_H: {"SD2.1-unCLIP-H", "ip-adapter_sd15", "ip-adapter_sdxl_vit-h"},
    CLIP_BIGG: {"ip-adapter_sd15_vit-G", "ip-adapter_sdxl", "SDXL Revision"},
}


@pytest.mark.parametrize("space", TABLE, ids=str)
@pytest.mark.parametrize("reader", READERS, ids=lambda r: r.name)
def test_exactly_the_published_pairs_fit(space, reader):
    if reader.name in TABLE[space]:
        check_fits(space, reader)
    else:
        with pytest.raises(InputError):
            check_fits(space, reader)


def test_readers_of_a_space_are_those_that_fit():
    assert {space: {r.name for r in readers_of(space)} for space in TABLE} == TABLE


def test_a_kandinsky_2_2_embedding_in_a_vit_h_adapter_is_refused_with_both_widths_and_names():
    with pytest.raises(InputError) as e:
        check_fits(CLIP_BIGG, reader_named("ip-adapter_sd15"))
    for said in ("OpenCLIP ViT-H/14", "1024", "OpenCLIP ViT-bigG/14", "1280", "ip-adapter_sdxl"):
        assert said in str(e.value)
    assert "\n" not in str(e.value)


def test_readers_of_token_grids_are_refused_for_what_they_are():
    with pytest.raises(InputError, match=r"Redux.* reads a grid of .* tokens, but a prior gives"):
        check_fits(CLIP_L, reader_named("Redux and other style models"))


def test_equal_width_is_not_an_equal_space():
    with pytest.raises(InputError, match="needs image embeddings of OpenAI"):
        check_fits(Space("SigLIP base", 768), reader_named("SD2.1-unCLIP-L"))


def test_an_unknown_reader_is_answered_with_the_known_ones():
    with pytest.raises(InputError, match=r"choose from SD2\.1-unCLIP-L, Stable"):
        reader_named("unclip")


def test_spaces_are_known_by_width():
    assert [space_of_width(w) for w in (768, 1024, 1280)] == [CLIP_L, CLIP_H, CLIP_BIGG]
    assert space_of_width(999) == Space("an unknown encoder", 999)


def test_no_width_makes_an_embedding_the_embedded_models():
    with pytest.raises(InputError, match="needs image embeddings of the embedded model's style"):
        check_fits(space_of_width(EMBEDDED.width), reader_named("the embedded model's style input"))


def test_an_unknown_encoder_is_none_to_look_for():
    unknown = space_of_width(48)
    with pytest.raises(InputError, match="choose a model that was trained with the encoder that"):
        check_fits(unknown, reader_named("SD2.1-unCLIP-L"))
    with pytest.raises(InputError, match="or an embedding of the encoder that it was trained with"):
        check_fits(CLIP_L, Reader("an adapter", unknown))
    with pytest.raises(InputError, match="trained with SigLIP base, or a prior of OpenAI"):
        check_fits(Space("SigLIP base", 768), reader_named("SD2.1-unCLIP-L"))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_an_embedding_that_is_not_finite_is_refused(bad):
    vectors = torch.zeros(2, 768)
    vectors[1, 5] = bad
    with pytest.raises(InputError, match=r"of OpenAI .* has numbers that are not finite"):
        ImageEmbedding(vectors, CLIP_L)


def test_an_embedding_of_another_width_is_refused():
    with pytest.raises(InputError, match=r"is 8 wide; needed OpenAI CLIP ViT-L/14, width 768"):
        ImageEmbedding(torch.zeros(1, 8), CLIP_L)
    assert len(ImageEmbedding(torch.zeros(3, 768), CLIP_L)) == 3
