"""Known systems, as their own code or paper writes the sum."""

import itertools

import pytest
import torch

from mm_core.errors import PlanError
from mm_core.guidance.algebra import combine
from mm_core.guidance.presets import STARTS, SYSTEMS, perp_neg_weights
from mm_core.types import Row


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
