"""CONDITIONING of any node as an input with a weight: alone, it is core's latent."""

import pytest
import torch
from compare import off
from graph import Graph

pytestmark = pytest.mark.host

ONE, OTHER = "a red circle", "a large blue star on the left"


def condition(g, conditioning, **given):
    """MMC_Condition; without absent, what is not there is what the node makes of it."""
    strength = {"weight": 3.5, "start": 0.0, "end": 1.0}
    return g.add("MMC_Condition", conditioning=conditioning, **{"name": "", **strength, **given})


def words(g):
    return g.words(ONE)


def in_an_area(g):
    return g.add(
        "ConditioningSetAreaPercentage",
        conditioning=g.words(ONE), width=0.5, height=0.75, x=0.25, y=0.0, strength=1.0,
    )  # fmt: skip


def two_halves(g):
    """Two prompts in one CONDITIONING, each for its half of the picture."""
    left, right = (
        g.add(
            "ConditioningSetAreaPercentage",
            conditioning=g.words(text), width=0.5, height=1.0, x=x, y=0.0, strength=1.0,
        )
        for text, x in ((ONE, 0.0), (OTHER, 0.5))
    )  # fmt: skip
    return g.add("ConditioningCombine", conditioning_1=left, conditioning_2=right)


def one_after_the_other(g):
    early, late = (
        g.add("ConditioningSetTimestepRange", conditioning=g.words(text), start=start, end=end)
        for text, start, end in ((ONE, 0.0, 0.5), (OTHER, 0.5, 1.0))
    )
    return g.add("ConditioningCombine", conditioning_1=early, conditioning_2=late)


def averaged(g):
    return g.add(
        "ConditioningAverage",
        conditioning_to=g.words(ONE), conditioning_from=g.words(OTHER),
        conditioning_to_strength=0.6,
    )  # fmt: skip


def with_hooks(g):
    return g.add(
        "ConditioningSetProperties",
        cond_NEW=g.words(ONE), strength=1.0, set_cond_area="default",
        hooks=g.add("ProbeHook", model=g.model),
    )  # fmt: skip


def with_hooks_for_a_while(g):
    times = g.add("ConditioningTimestepsRange", start_percent=0.0, end_percent=0.6)
    hooked = g.add(
        "ConditioningSetProperties",
        cond_NEW=g.words(ONE), strength=1.0, set_cond_area="default",
        hooks=g.add("ProbeHook", model=g.model), timesteps=times,
    )  # fmt: skip
    later = g.add("ConditioningSetTimestepRange", conditioning=g.words(ONE), start=0.6, end=1.0)
    return g.add("ConditioningCombine", conditioning_1=hooked, conditioning_2=later)


SETUPS = (
    words, in_an_area, two_halves, one_after_the_other, averaged, with_hooks, with_hooks_for_a_while
)  # fmt: skip
each_setup = pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: setup.__name__)


def core(g, positive, negative):
    return g.add(
        "KSampler", model=g.model, positive=positive, negative=negative, cfg=3.5,
        **g.sampling(steps=6),
    )  # fmt: skip


@each_setup
def test_alone_it_is_core(comfy, setup):
    g = Graph()
    g.model = g.add("ProbeModel")
    made, absent = setup(g), g.words()
    g.keep(core(g, g.words(ONE), absent))
    g.keep(core(g, made, absent))
    g.keep(g.guided(condition(g, made, absent=absent), steps=6))
    plain, theirs, ours = comfy.latents(g.prompt)
    assert plain.equal(theirs) == (setup is words)
    assert torch.equal(theirs, ours)


@each_setup
def test_beside_a_text_it_acts_by_its_weight(comfy, setup):
    g = Graph()
    g.model = g.add("ProbeModel")
    text, made, absent = g.text(OTHER, weight=2.0), setup(g), g.words()
    g.keep(g.guided(text, steps=6))
    g.keep(g.guided(text, condition(g, made, absent=absent, weight=0.0), steps=6))
    g.keep(g.guided(text, condition(g, made, absent=absent), steps=6))
    without, weightless, acting = comfy.latents(g.prompt)
    assert torch.equal(without, weightless)
    assert torch.isfinite(acting).all()
    assert off(acting, without) > 1e-4


def test_two_in_a_chain_are_dual_cfg_when_each_row_is_one_of_them(comfy):
    """With nested conditions core's second prompt is the whole first one, as a chain has it."""
    g = Graph()
    g.model = g.add("ProbeModel")
    one, none = g.words(ONE), g.words()
    both = g.add("ConditioningConcat", conditioning_to=one, conditioning_from=g.words(OTHER))
    guider = g.add(
        "DualCFGGuider", model=g.model, cond1=both, cond2=one, negative=none,
        cfg_conds=2.5, cfg_cond2_negative=4.0, style="regular",
    )  # fmt: skip
    g.keep(g.custom(guider))
    inputs = (
        condition(g, one, absent=none, name="first", weight=4.0),
        condition(g, g.words(OTHER), absent=none, name="second", weight=2.5),
    )
    g.keep(g.guided(*inputs, composition="chained"))
    theirs, ours = comfy.latents(g.prompt)
    assert off(ours, theirs) < 1e-5


def test_what_goes_in_is_not_changed(comfy):
    g = Graph()
    loaded = g.model = g.add("ProbeModel")
    made, absent = two_halves(g), g.words()
    before = g.add("ProbeState", model=loaded, weights=True, conditioning=made)
    sampled = g.guided(g.text(OTHER), condition(g, made, absent=absent), steps=2)
    after = g.add(
        "ProbeState", model=loaded, weights=True, conditioning=made, samples=sampled
    )  # fmt: skip
    outputs = comfy.run(g.prompt)
    assert outputs[before[0]]["text"] == outputs[after[0]]["text"]
