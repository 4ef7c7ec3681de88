"""Style against text: the incumbent's rule, ours beside it, and figures for every point."""

import pytest
import torch

from mm_core.embedded.defaults import WEIGHTS
from mm_core.embedded.generate import generate
from mm_core.evaluation.bench.style import (
    ONE_CFG,
    POINTS,
    SEED,
    SET,
    Measured,
    compare,
    leads,
    one_cfg,
    sets,
    two_weights,
)
from mm_core.evaluation.bench.tally import NAMES, Tally
from mm_core.evaluation.cases import held_out
from mm_core.guidance.algebra import combine
from mm_core.guidance.program import Program
from mm_core.types import Modality, Row


@pytest.fixture(scope="module")
def one_set(shipped):
    (found,) = sets(shipped, SET, 2)
    return found


def test_one_cfg_is_the_samplers_rule_on_an_adapter_at_a_strength():
    plan = one_cfg(5.0, 0.75).plan
    cond = Row.of({"text": 1.0, "style": 0.75})
    assert set(plan.rows) == {cond, Row()}
    mixed = combine({cond: torch.tensor([[[3.0]]]), Row(): torch.tensor([[[1.0]]])}, plan)
    assert float(mixed) == 1 + 5 * (3 - 1)


def test_at_equal_weights_joint_is_one_cfg_at_full_strength():
    assert two_weights(3.0, 3.0, "joint").plan == one_cfg(3.0, 1.0).plan


def test_without_style_both_ways_are_the_same_rule():
    ours, theirs = two_weights(3.0, 0.0).plan, one_cfg(3.0, 0.0).plan
    assert ours.coefficients == theirs.coefficients == {Row.of(["text"]): 3.0, Row(): -2.0}


def test_the_swept_ranges_hold_the_default_and_what_is_asked_for():
    ours = {p.weight for p in POINTS if p.curve == f"leave_one_out, text {WEIGHTS['text']:g}"}
    assert {0.0, WEIGHTS["style"], 4.0} <= ours
    strengths = {p.weight for p in POINTS if p.way == ONE_CFG}
    assert {0.5, 1.0, 2.0} <= strengths
    assert len({(p.curve, p.weight) for p in POINTS}) == len(POINTS)


def test_words_and_style_are_of_different_scenes(shipped, one_set):
    case, batch = one_set
    before = held_out(SET, SEED)
    assert torch.equal(case.style_picture, before.style_picture.roll(8, 0))
    assert (case.truth.content.color != before.truth.content.color).all()
    assert batch.encoded.keys() == {"text", "style"}


def test_a_point_of_ours_is_a_run_of_the_product_bit_for_bit(shipped, one_set):
    _, batch = one_set
    program = Program((Modality("text", 3.0), Modality("style", 2.5)))
    product, _ = generate(shipped, program, batch.encoded, batch.null, batch.settings)
    assert torch.equal(batch.sample(two_weights(3.0, 2.5).guide())[0], product)


def test_everything_is_told_of_every_point(shipped, oracle):
    points = (two_weights(3.0, 0.0), two_weights(3.0, 2.5), one_cfg(3.0, 1.0), one_cfg(5.0, 1.0))
    steps = []
    found = compare(shipped, oracle, SET, 2, points, lambda: steps.append(1))
    assert len(steps) == 4
    assert (found["scenes"], found["groups"], found["steps"]) == (SET, SET // 4, 2)
    bare, ours, same, other = found["points"]
    assert [p["rows"] for p in found["points"]] == [2, 3, 2, 2]
    text = [ours[name] for name in ("text_color", "text_shape", "text_relation")]
    assert ours["text"] == pytest.approx(100 * sum(text) / 3)
    assert ours["style"] == pytest.approx(100 * ours["style_family"])
    low, high = ours["style_interval"]
    assert low <= ours["style"] <= high
    # A curve of one point reaches that point, or is said by it.
    assert ours["lead_same"][0] == pytest.approx(ours["style"] - same["style"])
    best = max(p["style"] for p in (same, other))
    assert ours["lead_best"][0] == pytest.approx(ours["style"] - best)
    assert all("lead_same" not in p for p in (bare, same, other))


def test_leads_are_over_the_same_number_and_over_any():
    def measured(point, style):
        total = torch.zeros(2, len(NAMES), dtype=torch.float64)
        total[:, :3], total[:, 3] = 0.9, style
        return Measured(point, Tally(total, torch.ones_like(total)), 2.0, 0.0)

    ours, unmatched = measured(two_weights(3.0, 4.0), 0.9), measured(two_weights(2.0, 4.0), 0.8)
    bare, same = measured(two_weights(3.0, 0.0), 0.1), measured(one_cfg(3.0, 1.0), 0.6)
    best = measured(one_cfg(7.0, 0.5), 0.85)
    found = [ours, unmatched, bare, same, best]
    assert leads(ours, found)["lead_same"][0] == pytest.approx(30)
    assert leads(ours, found)["lead_best"][0] == pytest.approx(5)
    assert leads(unmatched, found)["lead_same"] is None
    assert leads(bare, found) == leads(best, found) == leads(ours, [ours, bare]) == {}
