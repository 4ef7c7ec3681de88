"""Known systems, as their own code or paper writes the sum."""

import itertools

import pytest
import torch

from mm_core.errors import PlanError
from mm_core.guidance.algebra import combine
from mm_core.guidance.presets import PRESETS, STARTS, SYSTEMS, perp_neg_weights
from mm_core.guidance.program import Program
from mm_core.types import Modality, Row, Window


def perp_neg(positive, negative, empty, neg_scale, cfg):
    """Of ComfyUI's nodes_perpneg.py in words: project on the positive, scale, subtract."""
    pos, neg = positive - empty, negative - empty
    perp = neg - (neg * pos).sum() / pos.norm() ** 2 * pos
    return empty + cfg * (pos - neg_scale * perp)


SUMS = {
    "instruct_pix2pix": lambda D: (
        D() + 1.5 * (D("image") - D()) + 7.5 * (D("image", "text") - D("image"))
    ),
    "omnigen2": lambda D: (
        D() + 2.0 * (D("reference") - D()) + 5.0 * (D("reference", "text") - D("reference"))
    ),
    "bagel": lambda D: D() + 2.0 * ((D("image") + 4.0 * (D("image", "text") - D("image"))) - D()),
    "multitalk": lambda D: D() + 5.0 * (D("audio", "text") - D("audio")) + 4.0 * (D("audio") - D()),
    "dual_cfg": lambda D: (
        D() + 8.0 * (D("second") - D()) + 8.0 * (D("first", "second") - D("second"))
    ),
    "dual_cfg_nested": lambda D: (
        D() + 8.0 * ((D("second") + 8.0 * (D("first", "second") - D("second"))) - D())
    ),
    "perp_neg": lambda D: perp_neg(D("text"), D("negative"), D(), 1.0, 8.0),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_known_system_is_its_own_sum(name, noise):
    weights = SYSTEMS[name].weights
    subsets = [s for k in range(len(weights) + 1) for s in itertools.combinations(weights, k)]
    said = {Row.of(s): noise(1, 3, 4, dtype=torch.float64) for s in subsets}
    found = combine(said, SYSTEMS[name].program().plan_at(0.3))
    expected = SUMS[name](lambda *seen: said[Row.of(seen)])
    torch.testing.assert_close(found, expected)


def test_weights_can_be_changed_by_name():
    program = SYSTEMS["instruct_pix2pix"].program(text=3.0)
    assert [(m.name, m.weight) for m in program.modalities] == [("image", 1.5), ("text", 3.0)]
    with pytest.raises(PlanError, match=r"has no \['pose'\]; it has \['image', 'text'\]"):
        SYSTEMS["instruct_pix2pix"].program(pose=1.0)


def test_the_scales_of_perp_neg_are_one_gain_each():
    assert perp_neg_weights(4.0, 0.5) == {"text": 4.0, "negative": -2.0}


@pytest.mark.parametrize("name", STARTS)
def test_every_start_costs_a_row_for_each_input_at_most(name):
    preset = STARTS[name]
    assert len(preset.program().plan_at(0.0).rows) == len(preset.weights) + 1


def weights_of(program):
    return [(m.name, m.weight) for m in program.modalities]


def test_a_start_sets_the_weights_of_inputs_that_it_knows():
    mine = Program((Modality("pose", 7.0), Modality("style", 9.0), Modality("text", 9.0)), "joint")
    found = STARTS["text and style"].applied(mine)
    assert found.composition == "leave_one_out"
    assert weights_of(found) == [("text", 4.0), ("style", 2.5), ("pose", 7.0)]


def test_a_start_does_without_inputs_that_are_missing():
    found = STARTS["everything"].applied(Program((Modality("depth", 9.0),)))
    assert weights_of(found) == [("depth", 1.5)]


def test_a_system_takes_inputs_by_name_and_the_rest_as_connected():
    mine = Program((Modality("text", 1.0, Window(0.0, 0.5)), Modality("style", 1.0)))
    found = SYSTEMS["instruct_pix2pix"].applied(mine)
    assert weights_of(found) == [("style", 1.5), ("text", 7.5)]
    assert found.modalities[1].window == Window(0.0, 0.5)
    text, other = Modality("text", 1.0), Modality("text 2", 1.0)
    assert weights_of(SYSTEMS["dual_cfg"].applied(Program((text, other)))) == [
        ("text", 8.0), ("text 2", 8.0),
    ]  # fmt: skip


@pytest.mark.parametrize("names", [["text"], ["text", "style", "depth"]])
def test_a_system_needs_just_its_inputs(names):
    mine = Program(tuple(Modality(n) for n in names))
    with pytest.raises(PlanError, match="for 2 inputs, image and text; connected are text"):
        SYSTEMS["instruct_pix2pix"].applied(mine)


def test_presets_of_both_kinds_can_be_found_by_name():
    assert PRESETS.keys() == {*STARTS, *SYSTEMS}


def test_a_preset_says_what_it_is():
    assert SYSTEMS["bagel"].about == "nested: image 2, text 4 (BAGEL, text inside image guidance)"
    assert STARTS["text"].about == "leave_one_out: text 4"
