"""Any CONDITIONING as an input: what native nodes made of a prompt, or added to it."""

import pytest
import torch
from comfy_server import ServerError
from compare import off
from graph import Graph

pytestmark = pytest.mark.host

ONE, OTHER = "a red circle", "a large blue star on the left"


def condition(g, conditioning, absent=None, name="condition", **strength):
    more = {} if absent is None else {"absent": absent}
    strength = {"weight": 3.5, "start": 0.0, "end": 1.0, **strength}
    return g.add("MMC_Condition", conditioning=conditioning, name=name, **more, **strength)


def latents(comfy, g, *sampled):
    for latent in sampled:
        g.keep(latent)
    return comfy.latents(g.prompt)


def plain(g):
    return g.words(ONE)


def in_an_area(g):
    return g.add("ConditioningSetArea", conditioning=g.words(ONE), width=64, height=128, x=64, y=0,
                 strength=1.0)  # fmt: skip


def in_a_share_of_the_picture(g):
    return g.add("ConditioningSetAreaPercentage", conditioning=g.words(ONE), width=0.5,
                 height=1.0, x=0.0, y=0.0, strength=0.8)  # fmt: skip


def under_a_mask(g):
    mask = g.add("SolidMask", value=1.0, width=64, height=128)
    right = g.add("MaskComposite", destination=g.add("SolidMask", value=0.2, width=128, height=128),
                  source=mask, x=64, y=0, operation="add")  # fmt: skip
    return g.add("ConditioningSetMask", conditioning=g.words(ONE), mask=right, strength=1.0,
                 set_cond_area="default")  # fmt: skip


def one_then_the_other(g):
    return g.add("ConditioningCombine", conditioning_1=ranged(g, ONE, 0.0, 0.5),
                 conditioning_2=ranged(g, OTHER, 0.5, 1.0))  # fmt: skip


def both_averaged(g):
    return g.add("ConditioningCombine", conditioning_1=g.words(ONE), conditioning_2=g.words(OTHER))


def an_area_and_the_rest(g):
    return g.add("ConditioningCombine", conditioning_1=in_an_area(g), conditioning_2=g.words(OTHER))


def with_hooks(g, **more):
    return g.add(
        "ConditioningSetProperties", cond_NEW=g.words(ONE), strength=1.0,
        set_cond_area="default", hooks=g.add("ProbeHook", model=g.model), **more,
    )  # fmt: skip


def with_hooks_for_a_while(g):
    times = g.add("ConditioningTimestepsRange", start_percent=0.0, end_percent=0.6)
    return g.add(
        "ConditioningCombine", conditioning_1=with_hooks(g, timesteps=times),
        conditioning_2=ranged(g, ONE, 0.6, 1.0),
    )  # fmt: skip


def ranged(g, prompt, start, end):
    return g.add("ConditioningSetTimestepRange", conditioning=g.words(prompt), start=start, end=end)


MADE = (plain, in_an_area, in_a_share_of_the_picture, under_a_mask, one_then_the_other,
        both_averaged, an_area_and_the_rest)  # fmt: skip


@pytest.mark.parametrize("made", MADE, ids=lambda made: made.__name__)
@pytest.mark.parametrize("negative", ["the empty prompt", "zeros"])
def test_one_condition_is_core_bit_for_bit(comfy, made, negative):
    g = Graph()
    positive = made(g)
    absent = g.words() if negative == "the empty prompt" else None
    other = absent or g.add("ConditioningZeroOut", conditioning=plain(g))
    wanted, found = latents(
        comfy, g, core(g, positive, other), g.guided(condition(g, positive, absent), steps=6)
    )
    assert torch.isfinite(wanted).all()
    assert torch.equal(found, wanted)


@pytest.mark.parametrize("made", [with_hooks, with_hooks_for_a_while], ids=lambda m: m.__name__)
def test_one_condition_with_hooks_is_core_bit_for_bit(comfy, made):
    g = Graph()
    g.model = g.add("ProbeModel")
    hooked, absent = made(g), g.words()
    without, wanted, found = latents(
        comfy, g, core(g, plain(g), absent), core(g, hooked, absent),
        g.guided(condition(g, hooked, absent), steps=6),
    )  # fmt: skip
    assert off(wanted, without) > 1e-4
    assert torch.equal(found, wanted)


def core(g, positive, negative):
    return g.add("KSampler", model=g.model, positive=positive, negative=negative, cfg=3.5,
                 **g.sampling(steps=6))  # fmt: skip


def test_what_goes_in_is_not_changed(comfy):
    g = Graph()
    made = an_area_and_the_rest(g)
    before = g.add("ProbeState", model=g.model, weights=True, conditioning=made)
    sampled = g.guided(g.text(OTHER), condition(g, made, g.words()), steps=2)
    after = g.add("ProbeState", model=g.model, weights=True, conditioning=made, samples=sampled)
    outputs = comfy.run(g.prompt)
    assert outputs[before[0]]["text"] == outputs[after[0]]["text"]


def test_a_prompt_as_condition_is_the_text_modality(comfy):
    g = Graph()
    others = g.picture("style"), g.picture("depth")
    text = g.guided(g.text(ONE, weight=3.5), *others)
    same = g.guided(condition(g, g.words(ONE), g.words(), "text"), *others)
    wanted, found = latents(comfy, g, text, same)
    assert torch.equal(found, wanted)


def test_what_was_added_behind_a_prompt_is_an_input_of_its_own(comfy):
    g = Graph()
    both = g.add(
        "ConditioningConcat", conditioning_to=g.words(ONE), conditioning_from=g.words(OTHER)
    )
    added = condition(g, both, g.words(ONE), weight=2.5)
    told = g.guided(g.text(ONE, weight=4.0), added, composition="chained")
    core = g.add(
        "DualCFGGuider", model=g.model, cond1=both, cond2=g.words(ONE), negative=g.words(),
        cfg_conds=2.5, cfg_cond2_negative=4.0, style="regular",
    )  # fmt: skip
    wanted, found = latents(comfy, g, g.custom(core), told)
    assert off(found, wanted) < 1e-5


def test_a_range_acts_as_a_window_does_and_never_blackens(comfy):
    g = Graph()
    some = condition(g, ranged(g, OTHER, 0.25, 0.65), g.words(), "other", weight=2.0)
    window = condition(g, g.words(OTHER), g.words(), "other", weight=2.0, start=0.25, end=0.65)
    steps = {"steps": 10, "scheduler": "simple"}
    text = g.text(ONE)
    alone, ranged_, windowed = latents(
        comfy, g, g.guided(text, **steps), g.guided(text, some, **steps),
        g.guided(text, window, **steps),
    )  # fmt: skip
    assert torch.equal(ranged_, windowed)
    assert off(ranged_, alone) > 0.05


def test_a_range_and_areas_are_an_input_among_others(comfy):
    for made in (in_an_area, under_a_mask, one_then_the_other, an_area_and_the_rest):
        g = Graph()
        told = condition(g, made(g), g.words(), "text")
        without, both, depth = latents(
            comfy, g, g.guided(told), g.guided(told, g.picture("depth")),
            g.guided(g.picture("depth")),
        )  # fmt: skip
        assert torch.isfinite(both).all()
        assert off(both, without) > 1e-3
        assert off(both, depth) > 1e-3


def test_an_area_prompt_beside_a_plain_one(comfy):
    g = Graph()
    area = condition(g, in_an_area(g), g.words(), "corner")
    both, alone = latents(comfy, g, g.guided(g.text(OTHER), area), g.guided(g.text(OTHER)))
    assert off(both, alone) > 1e-2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda g: [condition(g, g.words(ONE), g.words(ONE))], "are the same: connect to absent"),
        (
            lambda g: [condition(g, in_an_area(g), name="a"),
                       condition(g, under_a_mask(g), name="b")],
            "a and b both have areas or masks, and not the same",
        ),
    ],
)  # fmt: skip
def test_what_cannot_work_says_what_to_do(comfy, change, words):
    g = Graph()
    g.keep(g.guided(*change(g)))
    with pytest.raises(ServerError, match=words):
        comfy.run(g.prompt)
