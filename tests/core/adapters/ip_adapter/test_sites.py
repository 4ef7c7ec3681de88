"""Indices, places and keys, against the table of the published files."""

import layouts
import pytest

from mm_core.adapters.ip_adapter.layout import detect
from mm_core.adapters.ip_adapter.sites import (
    SD15,
    SDXL,
    Architecture,
    check_blocks,
    check_fits,
    places,
    sites,
)
from mm_core.errors import WeightsError

PUBLISHED = layouts.published()

SD15_TABLE = [  # index, module, width, key, place
    (1, "down_blocks.0.attentions.0", 320, ("input", 1), 0),
    (3, "down_blocks.0.attentions.1", 320, ("input", 2), 1),
    (5, "down_blocks.1.attentions.0", 640, ("input", 4), 2),
    (7, "down_blocks.1.attentions.1", 640, ("input", 5), 3),
    (9, "down_blocks.2.attentions.0", 1280, ("input", 7), 4),
    (11, "down_blocks.2.attentions.1", 1280, ("input", 8), 5),
    (13, "up_blocks.1.attentions.0", 1280, ("output", 3), 7),
    (15, "up_blocks.1.attentions.1", 1280, ("output", 4), 8),
    (17, "up_blocks.1.attentions.2", 1280, ("output", 5), 9),
    (19, "up_blocks.2.attentions.0", 640, ("output", 6), 10),
    (21, "up_blocks.2.attentions.1", 640, ("output", 7), 11),
    (23, "up_blocks.2.attentions.2", 640, ("output", 8), 12),
    (25, "up_blocks.3.attentions.0", 320, ("output", 9), 13),
    (27, "up_blocks.3.attentions.1", 320, ("output", 10), 14),
    (29, "up_blocks.3.attentions.2", 320, ("output", 11), 15),
    (31, "mid_block.attentions.0", 1280, ("middle", 0), 6),
]
SDXL_TABLE = [  # first index, count, module, width, key without the block, place
    (1, 2, "down_blocks.1.attentions.0", 640, ("input", 4), 0),
    (5, 2, "down_blocks.1.attentions.1", 640, ("input", 5), 1),
    (9, 10, "down_blocks.2.attentions.0", 1280, ("input", 7), 2),
    (29, 10, "down_blocks.2.attentions.1", 1280, ("input", 8), 3),
    (49, 10, "up_blocks.0.attentions.0", 1280, ("output", 0), 5),
    (69, 10, "up_blocks.0.attentions.1", 1280, ("output", 1), 6),
    (89, 10, "up_blocks.0.attentions.2", 1280, ("output", 2), 7),
    (109, 2, "up_blocks.1.attentions.0", 640, ("output", 3), 8),
    (113, 2, "up_blocks.1.attentions.1", 640, ("output", 4), 9),
    (117, 2, "up_blocks.1.attentions.2", 640, ("output", 5), 10),
    (121, 10, "mid_block.attentions.0", 1280, ("middle", 0), 4),
]


def test_sd15_is_the_published_table():
    found = [(s.index, s.module, s.width, s.key, s.place) for s in sites(SD15)]
    assert found == [
        (n, f"{module}.transformer_blocks.0.attn2", *rest) for n, module, *rest in SD15_TABLE
    ]


def test_sdxl_is_the_published_table_with_a_block_in_every_key():
    found = [(s.index, s.module, s.width, s.key, s.place) for s in sites(SDXL)]
    assert found == [
        (n + 2 * b, f"{module}.transformer_blocks.{b}.attn2", width, (*key, b), place)
        for n, count, module, width, key, place in SDXL_TABLE
        for b in range(count)
    ]
    assert len(found) == 70


def test_the_middle_comes_last_in_files_and_in_the_middle_in_sampling():
    assert sites(SD15)[-1].key == ("middle", 0)
    assert [s.place for s in sites(SDXL) if s.block == "middle"] == [4] * 10


def test_places_run_down_through_the_middle_and_up():
    assert list(places(sites(SD15)).values()) == ["input"] * 6 + ["middle"] + ["output"] * 9
    assert list(places(sites(SDXL)).items())[4] == (4, "middle")
    assert len(places(sites(SDXL))) == 11


@pytest.mark.parametrize(
    ("index", "name"),
    [
        (1, "input_blocks.4.1.transformer_blocks.0.attn2"),
        (87, "output_blocks.1.1.transformer_blocks.9.attn2"),
        (139, "middle_block.1.transformer_blocks.9.attn2"),
    ],
)
def test_a_site_knows_its_name_in_the_host(index, name):
    assert {s.index: s.host_module for s in sites(SDXL)}[index] == name


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("ip-adapter-plus_sd15", SD15),
        ("ip-adapter_sdxl", SDXL),
        ("kolors_ip_adapter_plus_general", SDXL),
    ],
)
def test_a_published_adapter_fits_its_model(name, model):
    check_fits(detect(PUBLISHED[name], name), model)


NARROW = Architecture("narrow", 768, (320, 640, 1280, 1024), (1, 1, 1, 0), 1)


@pytest.mark.parametrize(
    ("name", "model", "said"),
    [
        ("ip-adapter_sdxl", SD15, r"for SDXL \(70 attention layers\), .* is SD1.5 \(16\); choose"),
        ("ip-adapter_sd15", SDXL, r"for SD1.5 \(16 attention layers\), .* is SDXL \(70\); choose"),
        ("xlabs_flux-ip-adapter", SD15, r"is for Flux \(19 attention layers\), but .* SD1.5 \(16"),
        (
            "ip-adapter_sd15",
            Architecture("SD2.1", 1024, SD15.widths, SD15.depths, 1),
            "tokens of width 768, but SD2.1 reads 1024; choose an adapter for SD2.1",
        ),
        (
            "ip-adapter_sd15", NARROW,
            r"layer 31 \(mid_block.attentions.0.*\) is 1280 wide, the model's is 1024; choose",
        ),
    ],
)  # fmt: skip
def test_another_models_adapter_is_refused_with_both_numbers(name, model, said):
    with pytest.raises(WeightsError, match=said):
        check_fits(detect(PUBLISHED[name], name), model)


def test_blocks_of_a_transformer_are_counted_and_measured():
    layout = detect(PUBLISHED["xlabs_flux-ip-adapter"], "x.safetensors")
    check_blocks(layout, "Flux", 19, 3072)
    for blocks, width in ((8, 3072), (19, 6144)):
        said = rf"x.*is for Flux \(19 blocks of width 3072\).* Flux2 \({blocks} of width {width}\)"
        with pytest.raises(WeightsError, match=said):
            check_blocks(layout, "Flux2", blocks, width)
