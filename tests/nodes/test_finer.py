"""Weights for each picture and place, groups, overlap, presets, and overall CFG of other nodes."""

import pytest
import torch
from comfy_server import ServerError
from compare import off
from graph import Graph
from test_guidance import cost

pytestmark = pytest.mark.host


def latents(comfy, g, *sampled):
    for latent in sampled:
        g.keep(latent)
    return comfy.latents(g.prompt)


@pytest.mark.parametrize("composition", ["leave_one_out", "independent", "chained", "nested"])
def test_each_picture_of_a_batch_has_its_own_weight(comfy, composition):
    g = Graph()
    depth, latent = g.picture("depth"), g.empty(batch=2)

    def guided(**strength):
        inputs = g.text(**strength), depth
        return g.guided(*inputs, composition=composition, latent_image=latent)

    four, one, both = latents(
        comfy, g, guided(weight=4.0), guided(weight=1.0), guided(weight=9.0, weights="4, 1")
    )
    assert off(both[0], four[0]) < 1e-4
    assert off(both[1], one[1]) < 1e-4
    assert off(both[0], one[0]) > 1e-2


def test_a_list_of_another_length_is_refused(comfy):
    g = Graph()
    g.keep(g.guided(g.text(weights="4, 2, 1"), latent_image=g.empty(batch=2)))
    with pytest.raises(ServerError, match="text has 3 weights for a batch of 2; needed one, or"):
        comfy.run(g.prompt)


def test_what_is_no_number_is_named(comfy):
    g = Graph()
    g.keep(g.guided(g.text(weights="4, high")))
    with pytest.raises(ServerError, match="weights: 'high' is no number; give one for each image"):
        comfy.run(g.prompt)


def test_a_mask_says_where_a_weight_pushes(comfy):
    g = Graph()
    depth = g.picture("depth")

    def mask(value):
        return g.add("SolidMask", value=value, width=90, height=70)

    half = g.add("SolidMask", value=1.0, width=64, height=128)
    left = g.add(
        "MaskComposite", destination=g.add("SolidMask", value=0.0, width=128, height=128),
        source=half, x=0, y=0, operation="add",
    )  # fmt: skip
    whole, none, white, black, left_half = latents(
        comfy, g,
        *(g.guided(g.text(weight=w), depth, steps=1) for w in (4.0, 1.0)),
        *(g.guided(g.text(weight=4.0, mask=m), depth, steps=1)
          for m in (mask(1.0), mask(0.0), left)),
    )  # fmt: skip
    assert off(white, whole) < 1e-4
    assert off(black, none) < 1e-4
    assert off(left_half[..., :7], whole[..., :7]) < 1e-4  # 16 columns, one step
    assert off(left_half[..., 9:], none[..., 9:]) < 1e-4


def test_masks_of_two_sizes_and_a_batch(comfy):
    g = Graph()
    one = g.add("SolidMask", value=0.5, width=30, height=200)
    other = g.add("SolidMask", value=0.5, width=300, height=20)
    inputs = g.text(weight=5.0, mask=one), g.picture("style", mask=other, weight=3.0)
    half = g.text(weight=3.0), g.picture("style", weight=2.0)
    found, wanted = latents(
        comfy, g, *(g.guided(*i, latent_image=g.empty(batch=2)) for i in (inputs, half))
    )
    assert off(found, wanted) < 1e-4


def test_a_group_is_left_out_as_one(comfy):
    g = Graph()
    structure = [g.picture(n, group="structure") for n in ("depth", "pose", "segmentation")]
    grouped = g.guided(g.text(), *structure)
    g.keep(grouped)
    assert cost(comfy, g, grouped) == (4, 12)  # all, without text, without structure


def test_overlap_discounts_what_inputs_share(comfy):
    g = Graph()
    inputs = g.text(), g.picture("depth"), g.picture("segmentation")
    plain, discounted, one, one_discounted = latents(
        comfy, g, *(g.guided(*inputs, composition="independent", overlap=o) for o in (0.0, 1.0)),
        *(g.guided(inputs[0], composition="independent", overlap=o) for o in (0.0, 1.0)),
    )  # fmt: skip
    assert torch.isfinite(discounted).all()
    assert off(discounted, plain) > 1e-2
    assert torch.equal(one, one_discounted)


def test_a_preset_is_its_weights(comfy):
    g = Graph()
    preset = g.add("MMC_Preset", preset="text, depth and style")
    inputs = g.text(weight=9.0), g.picture("style", weight=-1.0), g.picture("depth", weight=7.0)
    weighed = g.text(weight=3.0), g.picture("depth", weight=1.5), g.picture("style", weight=2.5)
    by_preset, by_hand = latents(
        comfy, g, g.guided(*inputs, composition="joint", preset=preset), g.guided(*weighed)
    )
    assert torch.equal(by_preset, by_hand)


def test_a_preset_of_a_system_names_what_it_needs(comfy):
    g = Graph()
    g.keep(g.guided(g.text(), preset=g.add("MMC_Preset", preset="instruct_pix2pix")))
    with pytest.raises(ServerError, match="for 2 inputs, image and text; connected are text"):
        comfy.run(g.prompt)


@pytest.mark.parametrize("sampler_name", ["euler_cfg_pp", "dpmpp_2m_cfg_pp"])
def test_samplers_that_read_the_other_side_get_it_at_weight_1_too(comfy, sampler_name):
    g = Graph()
    core = g.native(cfg=1.0, sampler_name=sampler_name)
    wanted, found = latents(comfy, g, core, g.guided(g.text(weight=1.0), sampler_name=sampler_name))
    assert torch.equal(found, wanted)


def overridden(g, cfg, **part):
    model = g.model
    g.model = g.add("CFGOverride", model=model, cfg=cfg, start_percent=0.0, end_percent=1.0, **part)
    return model


def test_an_override_of_cfg_multiplies_all_pushes(comfy, object_info):
    version = comfy.get("/system_stats")["system"]["comfyui_version"]
    if "CFGOverride" not in object_info:
        assert version.startswith("0.20."), "CFGOverride is gone: test the node that came after it"
        return
    g = Graph()

    def guided(*weights):
        text, style = weights
        return g.guided(g.text(weight=text), g.picture("style", weight=style), steps=6)

    halved, none, nominal = guided(3.0, 2.0), guided(1.0, 1.0), guided(5.0, 3.0)
    found = []
    for cfg in (3.0, 1.0, 5.0):  # of a nominal 5
        model = overridden(g, cfg)
        found.append(guided(5.0, 3.0))
        g.model = model
    assert cost(comfy, g, found[1])[1] == 6
    made = latents(comfy, g, halved, none, nominal, *found)
    for wanted, given in zip(made[:3], made[3:], strict=True):
        assert off(given, wanted) < 1e-5


def scheduled(g, **curve):
    settings = {"kind": "linear", "start": 0.0, "end": 1.0, "first": 0.0, "last": 1.0,
                "center": 1.0, "width": 1.2, "low": 0.2, "high": 5.0, "points": "0:1"}  # fmt: skip
    return g.add("MMC_Schedule", **{**settings, **curve})


def test_rows_that_nobody_foresaw_are_made_when_they_come_up(comfy):
    """Lists, schedules and groups that meet in weights of 0 or in equal weights."""
    g = Graph()
    text, depth, two = g.text(), g.picture("depth"), g.empty(batch=2)
    shared = scheduled(g, first=1.0, last=-1.0, end=0.4)
    graphs = [
        g.guided(text, g.picture("style", weights="0"), depth),
        g.guided(g.text(weights="2, 3"), g.picture("style", weights="4, 5"),
                 composition="chained", latent_image=two),
        g.guided(g.text(weight=6.0, schedule=scheduled(g)), g.picture("style", weight=2.85),
                 composition="chained"),
        g.guided(g.text(weight=2.0, schedule=shared),
                 g.picture("style", weight=1.5, schedule=shared),
                 g.picture("depth", weight=1.5, schedule=shared), speed="fast", steps=8),
        g.guided(text, g.text("a blue star", weight=-2.0, schedule=scheduled(g, last=-1.0)),
                 composition="perp_neg"),
    ]  # fmt: skip
    assert all(torch.isfinite(latent).all() for latent in latents(comfy, g, *graphs))


def test_names_of_inputs_are_free(comfy):
    def drawn(third):
        g = Graph()
        g.keep(g.guided(
            *(g.add("MMC_Condition", conditioning=g.words(words), absent=g.words(), name=name,
                    weight=2.0, start=start, end=end)
              for name, words, start, end in (("a", "a red circle", 0.0, 0.5),
                                              ("b", "a blue star", 0.0, 0.5),
                                              (third, "a green ring", 0.5, 1.0))),
            steps=6,
        ))  # fmt: skip
        return comfy.latents(g.prompt)[0]

    plain = drawn("c")
    for name in ("a+b", "group a", "positive", "null", "b*0.5", "名前"):
        assert torch.equal(drawn(name), plain), name


def test_a_weight_over_sampling_is_drawn_and_acts(comfy):
    g = Graph()
    curve = scheduled(g, kind="window", start=0.5)
    plain, late = latents(
        comfy, g, g.guided(g.text(weight=4.0), steps=8),
        g.guided(g.text(weight=4.0, schedule=curve), steps=8),
    )  # fmt: skip
    assert off(late, plain) > 1e-2
