"""Every published layout is told from the others; what cannot be is refused with its reason."""

import layouts
import pytest

from mm_core.adapters.ip_adapter.layout import check_features, detect
from mm_core.errors import InputError, WeightsError

PUBLISHED = layouts.published()
CLIP_H, BIG_G = ("image_embeds", 1024), ("image_embeds", 1280)
HIDDEN, FACE = ("penultimate", 1280), ("identity", 512)
EXPECTED = {  # from the model cards: family, model, tokens, what it needs, null, LoRA rank
    "ip-adapter_sd15": ("base", "SD1.5", 4, [CLIP_H], "zero_features", 0),
    "ip-adapter_sd15_vit-G": ("base", "SD1.5", 4, [BIG_G], "zero_features", 0),
    "ip-adapter-plus_sd15": ("plus", "SD1.5", 16, [HIDDEN], "zero_pixels", 0),
    "ip-adapter-full-face_sd15": ("full", "SD1.5", 257, [HIDDEN], "zero_pixels", 0),
    "ip-adapter_sdxl": ("base", "SDXL", 4, [BIG_G], "zero_features", 0),
    "ip-adapter_sdxl_vit-h": ("base", "SDXL", 4, [CLIP_H], "zero_features", 0),
    "ip-adapter-plus_sdxl_vit-h": ("plus", "SDXL", 16, [HIDDEN], "zero_pixels", 0),
    "kolors_ip_adapter_plus_general": (
        "plus", "Kolors", 16, [("penultimate", 1024)], "zero_pixels", 0,
    ),
    "kolors_faceid_plus": (
        "faceid_plus", "Kolors", 6, [FACE, ("penultimate", 1024)], "zero_pixels", 0,
    ),
    "ip-adapter-faceid_sd15": ("faceid", "SD1.5", 4, [FACE], "zero_features", 128),
    "ip-adapter-faceid-plusv2_sd15": (
        "faceid_plus", "SD1.5", 4, [FACE, HIDDEN], "zero_pixels", 128,
    ),
    "ip-adapter-faceid-plus_sd15": (
        "faceid_plus", "SD1.5", 4, [FACE, HIDDEN], "zero_pixels", 128,
    ),
    "ip-adapter-faceid_sdxl": ("faceid", "SDXL", 4, [FACE], "zero_features", 128),
    "ip-adapter-faceid-portrait_sd15": ("portrait", "SD1.5", 16, [FACE], "zero_features", 0),
    "xlabs_flux-ip-adapter": (
        "flux_xlabs", "Flux", 4, [("image_embeds", 768)], "black_picture", 0,
    ),
    "xlabs_flux-ip-adapter-v2": (
        "flux_xlabs", "Flux", 16, [("image_embeds", 768)], "black_picture", 0,
    ),
    "instantx_flux-ip-adapter": (
        "flux_instantx", "Flux", 128, [("pooled", 1152)], "zero_features", 0,
    ),
    "instantx_sd35-large-ip-adapter": (
        "sd35_instantx", "SD3.5", 64, [("penultimate", 1152)], "zero_features", 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_file_is_known_for_what_it_is(name):
    layout = detect(PUBLISHED[name], f"{name}.safetensors")
    needs = [(n.kind, n.width) for n in layout.needs]
    found = (layout.family, layout.model, layout.tokens, needs, layout.null, layout.lora_rank)
    assert found == EXPECTED[name]


def test_every_published_layout_is_expected():
    assert EXPECTED.keys() == PUBLISHED.keys()


def test_community_names_make_no_difference():
    shapes = PUBLISHED["ip-adapter_sd15"]
    renamed = {n.replace("ip_adapter.", "adapter_modules."): s for n, s in shapes.items()}
    assert detect(renamed, "a") == detect(shapes, "a")


@pytest.mark.parametrize(
    ("name", "shortcut"),
    [
        ("ip-adapter-faceid-plusv2_sd15.safetensors", True),
        ("FaceID_Plus_v2 SDXL.safetensors", True),
        ("ip-adapter-faceid-plus_sd15.safetensors", False),
    ],
)
def test_the_name_alone_tells_the_versions_of_faceid_plus(name, shortcut):
    assert detect(PUBLISHED["ip-adapter-faceid-plus_sd15"], name).shortcut is shortcut


def test_kolors_faceid_tokens_are_wider_than_its_layers_read():
    layout = detect(PUBLISHED["kolors_faceid_plus"], "a")
    assert (layout.token_width, layout.context) == (4096, 2048)


def test_a_layout_says_itself_in_one_line():
    layout = detect(PUBLISHED["ip-adapter-faceid-plusv2_sd15"], "a")
    assert str(layout) == (
        "faceid_plus (version 1 by its name) for SD1.5, 4 tokens, needs identity 512 (a face "
        "recogniser of yours) and penultimate 257x1280 (CLIP-H), LoRA of rank 128"
    )
    named = detect(PUBLISHED["ip-adapter-faceid-plusv2_sd15"], "ip-adapter-faceid-plusv2_sd15.bin")
    assert str(named).startswith("faceid_plus (version 2 by its name) for SD1.5")


def changed(name, drop=(), **new):
    shapes = {n: s for n, s in PUBLISHED[name].items() if not n.startswith(tuple(drop))}
    return shapes | {n.replace("__", "."): s for n, s in new.items()}


K1, V31 = "ip_adapter.1.to_k_ip.weight", "ip_adapter.31.to_v_ip.weight"
REFUSED = {
    "no adapter": ({"conv.weight": (3, 3)}, "none of its 1 tensors (such as conv.weight) begins"),
    "empty": ({}, "none of its 0 tensors (such as none) begins with image_proj."),
    "no layers": (
        changed("ip-adapter_sd15", ["ip_adapter."]),
        "begins with ip_adapter.; choose an IP-Adapter file",
    ),
    "unknown projection": (
        changed("ip-adapter_sd15", ["image_proj."]) | {"image_proj.mixer.weight": (3, 3)},
        "form: found image_proj.mixer.weight, needed one of image_proj.proj.weight",
    ),
    "no norm": (
        changed("ip-adapter_sd15", ["image_proj.norm"]), "missing image_proj.norm.weight",
    ),
    "lonely keys": (
        changed("ip-adapter_sd15", [V31]), "layer 31 has to_k_ip but no to_v_ip; download",
    ),
    "lonely values": (
        changed("ip-adapter_sd15", [K1]), "layer 1 has to_v_ip but no to_k_ip; download",
    ),
    "a layer short": (
        changed("ip-adapter_sd15", ["ip_adapter.31."]),
        "has 15 layers, needed 16 (SD1.5) or 70 (SDXL)",
    ),
    "a layer misnumbered": (
        changed("ip-adapter_sd15", ["ip_adapter.31."])
        | {f"ip_adapter.33.to_{p}_ip.weight": (1280, 768) for p in "kv"},
        "numbers its layers 33 where 31 was needed",
    ),
    "keys and values of two widths": (
        changed("ip-adapter_sd15") | {K1: (640, 768)},
        "layer 1 is (640, 768) where (320, 768) is needed",
    ),
    "a layer of another model": (
        changed("ip-adapter_sd15") | dict.fromkeys([V31, V31.replace("v_ip", "k_ip")], (1280, 9)),
        "layer 31 is (1280, 9) where (1280, 768) is needed",
    ),
    "two models in one": (
        changed("ip-adapter_sdxl", ["ip_adapter."]) | layouts.layers(layouts.SD15_WIDTHS, 768),
        "its image tokens are 2048 wide, but its layers read 768",
    ),
    "rows that make no tokens": (
        changed("ip-adapter_sd15") | {"image_proj.proj.weight": (3071, 1024)},
        "has 3071 rows, which 768, the tokens' width, does not divide",
    ),
    "a vector where a matrix is needed": (
        changed("ip-adapter_sd15") | {K1: (320,)},
        f"{K1} has the shape (320,), needed 2 dimensions",
    ),
    "an empty tensor": (
        changed("ip-adapter_sd15") | {"image_proj.norm.weight": (0,)}, "has the shape (0,)",
    ),
    "half a LoRA": (
        changed("ip-adapter-faceid_sd15", ["ip_adapter.7.to_v_lora.up"]),
        "incomplete: missing ip_adapter.7.to_v_lora.up.weight",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("shapes", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_used_is_refused_in_one_line_with_its_reason(shapes, said):
    with pytest.raises(WeightsError) as refused:
        detect(shapes, "file.safetensors")
    message = str(refused.value)
    assert message.startswith("file.safetensors ")
    assert said in message
    assert ";" in message  # what to do
    assert "\n" not in message


@pytest.mark.parametrize(
    ("name", "kind", "shape", "said"),
    [
        (
            "ip-adapter_sd15", "image_embeds", (1, 1280),
            r"needs image_embeds 1024 \(CLIP-H\), but the encoder gave features of width 1280 "
            r"\(CLIP-bigG\); load CLIP-H",
        ),
        (
            "ip-adapter-plus_sdxl_vit-h", "penultimate", (1, 257, 1664),
            r"needs penultimate 257x1280 \(CLIP-H\), .* width 1664 \(CLIP-bigG\); load CLIP-H",
        ),
        ("ip-adapter-plus_sd15", "image_embeds", (1, 1024), "takes penultimate .* was given imag"),
        ("ip-adapter-plus_sd15", "penultimate", (1, 1280), r"3 dimensions, .* shape \(1, 1280\)"),
        ("ip-adapter-full-face_sd15", "penultimate", (1, 50, 1280), "gave 50 tokens; load CLIP-H"),
        ("ip-adapter-faceid_sd15", "identity", (1, 128), "gave features of width 128; load a face"),
    ],
)  # fmt: skip
def test_features_of_another_encoder_are_refused_with_both_encoders(name, kind, shape, said):
    with pytest.raises(InputError, match=said):
        check_features(detect(PUBLISHED[name], name), kind, shape)


@pytest.mark.parametrize("tokens", [1, 257, 577])
def test_a_resampler_takes_any_number_of_tokens(tokens):
    layout = detect(PUBLISHED["ip-adapter-plus_sd15"], "a")
    check_features(layout, "penultimate", (2, tokens, 1280))
