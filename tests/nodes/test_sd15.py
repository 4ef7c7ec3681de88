"""SD 1.5 in its published layout, random weights: where core can say the same, ours is the same."""

import json
import struct

import pytest
import torch
from compare import off
from graph_sd15 import SD15, said
from random_sd15 import CHECKPOINT, CONTROLS

pytestmark = pytest.mark.host

ONE, OTHER = "a red circle on the table", "a photograph of a blue star at night"


def names_in(path):
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        return json.loads(file.read(length)).keys() - {"__metadata__"}


def test_the_files_have_as_many_tensors_as_the_published_ones(random_models):
    # Counted in v1-5-pruned-emaonly and in control_v11p_sd15_openpose.
    names = names_in(random_models / CHECKPOINT)
    parts = {"model.diffusion_model.": 686, "cond_stage_model.transformer.": 197,
             "first_stage_model.": 248}  # fmt: skip
    assert {p: sum(n.startswith(p) for n in names) for p in parts} == parts
    assert len(names) == sum(parts.values())
    for control in CONTROLS:
        names = names_in(random_models / control)
        assert len(names) == 340
        assert all(name.startswith("control_model.") for name in names)


def test_one_text_is_core_cfg_bit_for_bit_in_both_nodes(sd15):
    g = SD15()
    core, ours = (g.words(ONE), g.words()), g.text(ONE, weight=3.5)
    cfg = g.add("CFGGuider", model=g.model, positive=core[0], negative=core[1], cfg=3.5)
    g.keep(g.native(ONE, cfg=3.5))
    g.keep(g.custom(cfg))
    g.keep(g.guided(ours))
    g.keep(g.custom(g.guider(ours)))
    native, *others = sd15.latents(g.prompt)
    assert torch.isfinite(native).all()
    assert [torch.equal(native, other) for other in others] == [True] * 3


@pytest.mark.parametrize(("style", "composition"), [("regular", "chained"), ("nested", "nested")])
def test_two_texts_in_a_chain_are_dual_cfg(sd15, style, composition):
    g = SD15()
    both = g.add(
        "ConditioningConcat", conditioning_to=g.words(ONE), conditioning_from=g.words(OTHER)
    )
    guider = g.add(
        "DualCFGGuider", model=g.model, cond1=both, cond2=g.words(ONE), negative=g.words(),
        cfg_conds=2.5, cfg_cond2_negative=4.0, style=style,
    )  # fmt: skip
    g.keep(g.custom(guider, steps=1))
    inputs = g.text(ONE, weight=4.0), g.text(OTHER, weight=2.5)
    g.keep(g.guided(*inputs, composition=composition, steps=1))
    core, ours = sd15.latents(g.prompt)
    assert off(ours, core) < 1e-5


def test_a_text_of_negative_weight_is_perp_neg(sd15):
    g = SD15()
    guider = g.add(
        "PerpNegGuider", model=g.model, positive=g.words(ONE), negative=g.words(OTHER),
        empty_conditioning=g.words(), cfg=4.0, neg_scale=0.75,
    )  # fmt: skip
    g.keep(g.custom(guider, steps=1))
    inputs = g.text(ONE, weight=4.0), g.text(OTHER, weight=-3.0)
    g.keep(g.guided(*inputs, composition="perp_neg", steps=1))
    core, ours = sd15.latents(g.prompt)
    assert off(ours, core) < 1e-5


def test_rows_are_run_for_inputs_that_act_and_in_one_call_a_step(sd15):
    """Each case: the inputs' strengths, and the rows of each of the two calls."""
    cases = {
        "weights of 1": (({"weight": 1.0}, {"weight": 1.0}), 1),
        "a weight of 0": (({"weight": 3.0}, {"weight": 0.0}), 2),
        "a closed window": (({"weight": 3.0}, {"start": 0.4, "end": 0.4}), 2),
        "alone": (({"weight": 3.0},), 2),
        "both": (({"weight": 3.0}, {"weight": 2.0}), 3),
    }  # fmt: skip
    g, counts = SD15(), {}
    loaded = g.model
    for case, (strengths, _) in cases.items():
        g.model = loaded
        count = g.count()
        texts = zip((ONE, OTHER), strengths, strict=False)
        sampled = g.guided(*(g.text(prompt, **strength) for prompt, strength in texts))
        g.keep(sampled)
        counts[case] = g.counted(sampled, count)
    outputs = sd15.run(g.prompt)
    ran = {case: [call["rows"] for call in said(outputs, n)["unet"]] for case, n in counts.items()}
    assert ran == {case: [rows, rows] for case, (_, rows) in cases.items()}
    _, weightless, closed, alone, both = sd15.saved(outputs)
    assert torch.equal(weightless, alone)
    assert torch.equal(closed, alone)
    assert off(both, alone) > 1e-2


def test_the_guider_is_the_sampler_node_with_several_inputs(sd15):
    g = SD15()
    inputs = g.text(ONE, weight=4.0), g.text(OTHER, weight=2.5)
    g.keep(g.guided(*inputs))
    g.keep(g.custom(g.guider(*inputs)))
    sampler, guider = sd15.latents(g.prompt)
    assert torch.equal(sampler, guider)
