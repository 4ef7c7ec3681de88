"""What native nodes add to a prompt's CONDITIONING is an input of its own, with its own weight.

In one Euler step the latent is the guided prediction, so what a chain adds up can be told from
single predictions of core.
"""

import pytest
from compare import off
from graph import Graph
from test_conditions import condition

pytestmark = pytest.mark.host

ONE = "a red circle"


def referring(g, conditioning, latent):
    return g.add("ReferenceLatent", conditioning=conditioning, latent=latent)


def boxed(g, conditioning):
    return g.add("ProbeBoxes", conditioning=conditioning)


def predicted(g, conditioning):
    """What core predicts of one CONDITIONING."""
    return g.add(
        "KSampler", model=g.model, positive=conditioning, negative=g.words(), cfg=1.0,
        **g.sampling(steps=1),
    )  # fmt: skip


def chained(g, *added):
    """Text, and what was added one by one, each with the weight 2.5."""
    inputs = [g.text(ONE, weight=4.0)]
    for k, (after, before) in enumerate(added):
        inputs.append(condition(g, after, before, f"added {k}", weight=2.5))
    return g.guided(*inputs, composition="chained", steps=1)


def check(comfy, g, *added):
    for conditioning in (g.words(), g.words(ONE), *(after for after, _ in added)):
        g.keep(predicted(g, conditioning))
    g.keep(chained(g, *added))
    none, text, *rest, ours = comfy.latents(g.prompt)
    expected, before = none + 4.0 * (text - none), text
    for after in rest:
        assert off(after, before) > 1e-3, "what was added does nothing"
        expected, before = expected + 2.5 * (after - before), after
    assert off(ours, expected) < 1e-4


def flux():
    g = Graph()
    g.model = g.add("ProbeDiT")
    return g


def test_reference_latents(comfy):
    g = flux()
    picture = g.native("a large blue star", cfg=1.0, steps=1, seed=9)
    check(comfy, g, (referring(g, g.words(ONE), picture), g.words(ONE)))


def test_two_reference_latents_each_with_a_weight(comfy):
    g = flux()
    pictures = [g.native("a ring", cfg=1.0, steps=1, seed=s) for s in (9, 10)]
    first = referring(g, g.words(ONE), pictures[0])
    check(comfy, g, (first, g.words(ONE)), (referring(g, first, pictures[1]), first))


def test_boxes_that_patch_attention(comfy):
    g = Graph()
    g.model = g.add("ProbeModel")
    check(comfy, g, (boxed(g, g.words(ONE)), g.words(ONE)))


def test_tokens_behind_the_prompt(comfy):
    g = Graph()
    g.model = g.add("ProbeModel")
    longer = g.add(
        "ConditioningConcat", conditioning_to=g.words(ONE), conditioning_from=g.words("a ring")
    )
    check(comfy, g, (longer, g.words(ONE)))


def test_a_setting_of_the_prompt(comfy):
    g = flux()
    check(comfy, g, (g.add("FluxGuidance", conditioning=g.words(ONE), guidance=9.0), g.words(ONE)))


def test_boxes_on_a_prompt_alone_are_as_in_core_on_both_sides(comfy):
    g = Graph()
    g.model = g.add("ProbeModel")
    made = boxed(g, g.words(ONE))
    core = g.add("KSampler", model=g.model, positive=made, negative=g.words(), cfg=3.5,
                 **g.sampling())  # fmt: skip
    g.keep(core)
    g.keep(g.guided(condition(g, made, g.words(), weight=3.5)))
    theirs, ours = comfy.latents(g.prompt)
    assert ours.equal(theirs)
