"""Weights, windows and compositions through the API: what they change and what they must not."""

import re

import pytest
from compare import identical, psnr, shows_something
from graph import Graph

pytestmark = pytest.mark.host

COMPOSITIONS = (
    "leave_one_out", "independent", "chained", "nested", "joint", "weighted_negative", "perp_neg"
)  # fmt: skip
ALL = ("style", "depth", "pose", "segmentation")


def cost(comfy, graph, sampled):
    """(evaluations, rows) that the sampler node's report states."""
    shown = graph.add("PreviewAny", source=[sampled[0], 1])
    (said,) = comfy.run(graph.prompt)[shown[0]]["text"]
    rows, evaluations = re.search(r"(\d+) rows in (\d+) evaluations", said).groups()
    return int(evaluations), int(rows)


@pytest.mark.parametrize("composition", COMPOSITIONS)
@pytest.mark.parametrize("name", [*ALL, "audio"])
def test_weight_0_and_a_closed_window_are_as_if_it_were_not_there(comfy, name, composition):
    g = Graph()
    text = g.text()
    depth = g.picture("depth") if name != "depth" else g.picture("pose")

    def add(**strength):
        return g.sound(**strength) if name == "audio" else g.picture(name, **strength)

    g.save(g.guided(text, depth, composition=composition))
    g.save(g.guided(text, add(weight=0.0), depth, composition=composition))
    g.save(g.guided(text, add(start=0.3, end=0.3), depth, composition=composition))
    g.save(g.guided(text, add(), depth, composition=composition))
    absent, weightless, closed, acting = comfy.images(g.prompt)
    assert identical(absent, weightless)
    assert identical(absent, closed)
    assert not identical(absent, acting)


def test_text_of_weight_0_is_no_text(comfy):
    g = Graph()
    g.save(g.guided(g.picture("depth")))
    g.save(g.guided(g.text(weight=0.0), g.picture("depth")))
    g.save(g.guided(g.text(start=0.3, end=0.3), g.picture("depth")))
    g.save(g.guided(g.text(), g.picture("depth")))
    absent, weightless, closed, acting = comfy.images(g.prompt)
    assert identical(absent, weightless)
    assert identical(absent, closed)
    assert not identical(absent, acting)


def test_an_input_that_does_not_act_costs_nothing(comfy):
    g = Graph()
    sampled = g.guided(g.text(), g.picture("style", weight=0.0), g.picture("depth"), steps=4)
    assert cost(comfy, g, sampled) == (4, 12)  # both, text alone, depth alone


def test_weights_of_1_run_one_row(comfy):
    g = Graph()

    def inputs(weight):
        return [g.text(weight=weight), *(g.picture(n, weight=weight) for n in ALL)]

    one_row = g.guided(*inputs(1.0))
    g.save(one_row)
    for composition in ("chained", "nested", "joint"):
        g.save(g.guided(*inputs(1.0), composition=composition))
    g.save(g.guided(*inputs(2.5), push=0.0))
    first, *others = comfy.images(g.prompt)
    assert all(identical(first, other) for other in others)
    assert cost(comfy, g, one_row) == (4, 4)


def test_only_the_order_of_chained_and_nested_matters(comfy):
    for composition in COMPOSITIONS:
        g = Graph()
        inputs = [g.text(), g.picture("style"), g.picture("depth")]
        g.save(g.guided(*inputs, composition=composition))
        g.save(g.guided(*inputs[::-1], composition=composition))
        one, other = comfy.images(g.prompt)
        if composition in ("chained", "nested"):
            assert psnr(one, other) < 50
        else:
            assert psnr(one, other) > 50  # the same sum in another order


def test_every_composition_draws_its_own_picture(comfy):
    g = Graph()
    inputs = [g.text(), g.picture("style"), g.picture("depth"), g.text("a blue star", weight=-1.0)]
    for composition in COMPOSITIONS:
        g.save(g.guided(*inputs, composition=composition))
    made = comfy.images(g.prompt)
    assert all(shows_something(picture) for picture in made)
    assert len({picture.tobytes() for picture in made}) == len(COMPOSITIONS)


def test_the_weighted_negative_costs_two_rows_and_comes_close_to_leave_one_out(comfy):
    g = Graph()
    inputs = [g.text(), *(g.picture(n) for n in ALL)]
    plain = [g.text(weight=1.0), *(g.picture(n, weight=1.0) for n in ALL)]
    fast = g.guided(*inputs, composition="weighted_negative")
    for sampled in (g.guided(*inputs), fast, g.guided(*plain)):
        g.save(sampled)
    exact, found, unguided = comfy.images(g.prompt)
    assert cost(comfy, g, fast) == (4, 8)
    assert psnr(exact, found) > psnr(exact, unguided) + 3


def test_two_pictures_of_one_kind_both_act(comfy):
    g = Graph()
    one, other = g.picture("style"), g.picture("style", asset="segmentation")
    g.save(g.guided(g.text(), one))
    g.save(g.guided(g.text(), other))
    g.save(g.guided(g.text(), one, other))
    first, second, both = comfy.images(g.prompt)
    assert not identical(both, first)
    assert not identical(both, second)
    assert shows_something(both)


def test_two_prompts_both_act(comfy):
    g = Graph()
    circle, star = g.text("a red circle"), g.text("a blue star")
    g.save(g.guided(circle))
    g.save(g.guided(circle, star))
    one, both = comfy.images(g.prompt)
    assert shows_something(both)
    assert psnr(one, both) < 40


def test_a_window_acts_in_its_part_of_sampling_only(comfy):
    g = Graph()
    text = g.text()
    half = g.guided(text, g.picture("depth", end=0.5), steps=8, scheduler="simple")
    g.save(g.guided(text, steps=8, scheduler="simple"))
    g.save(g.guided(text, g.picture("depth"), steps=8, scheduler="simple"))
    g.save(half)
    absent, whole, first_half = comfy.images(g.prompt)
    assert not identical(first_half, absent)
    assert not identical(first_half, whole)
    assert cost(comfy, g, half) == (8, 4 * 3 + 4 * 2)


def test_two_windows_that_meet_make_a_whole_one(comfy):
    g = Graph()
    text = g.text()
    parts = [g.picture("depth", end=0.5), g.picture("depth", start=0.5)]
    g.save(g.guided(text, g.picture("depth"), steps=8))
    g.save(g.guided(text, *parts, steps=8))
    whole, stitched = comfy.images(g.prompt)
    assert psnr(whole, stitched) > 55


def test_inputs_may_come_without_text(comfy):
    g = Graph()
    for name in ALL:
        g.save(g.guided(g.picture(name)))
    g.save(g.guided(g.sound()))
    made = comfy.images(g.prompt)
    assert all(shows_something(picture) for picture in made)
    assert len({picture.tobytes() for picture in made}) == len(ALL) + 1


def test_a_batch_of_inputs_gives_each_picture_its_own(comfy):
    g = Graph()
    both = g.add("ImageBatch", image1=g.asset("depth"), image2=g.asset("pose"))
    depth = g.add("MMC_Depth", image=both, adapters=g.adapters, weight=1.5, start=0.0, end=1.0)
    g.save(g.guided(g.text(), depth, latent_image=g.empty(batch=2)))
    g.save(g.guided(g.text(), g.picture("depth"), latent_image=g.empty(batch=2)))
    mixed_one, mixed_two, same_one, same_two = comfy.images(g.prompt)
    assert psnr(mixed_one, same_one) > 50
    assert psnr(mixed_two, same_two) < 40


def test_hooks_after_guidance_see_what_native_cfg_shows_them(comfy):
    g = Graph()
    g.model = g.add("Mahiro", model=g.model)
    g.save(g.native(cfg=3.0))
    g.save(g.guided(g.text(weight=3.0)))
    g.model = ["1", 0]
    g.save(g.native(cfg=3.0))
    native, guided, without = comfy.images(g.prompt)
    assert psnr(native, guided) >= 55
    assert psnr(native, without) < 50


def test_fast_and_balanced_cost_less_and_stay_near(comfy):
    g = Graph()
    inputs = [g.text(), *(g.picture(n) for n in ALL)]
    made = {
        speed: g.guided(*inputs, speed=speed, steps=12)
        for speed in ("exact", "balanced", "fast", "draft")
    }
    for sampled in made.values():
        g.save(sampled)
    exact, balanced, fast, draft = comfy.images(g.prompt)
    rows = {speed: cost(comfy, g, sampled)[1] for speed, sampled in made.items()}
    assert rows["exact"] == 12 * 6
    assert rows["draft"] == 12
    assert rows["fast"] == 12 + 2 + 3  # twice to warm up, and a quarter of all evaluations
    assert rows["fast"] < rows["balanced"] < rows["exact"]
    assert psnr(exact, balanced) > 30
    assert psnr(exact, fast) > psnr(exact, draft)
