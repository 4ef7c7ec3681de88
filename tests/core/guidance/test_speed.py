"""What each speed changes of a program."""

import pytest

from mm_core.errors import PlanError
from mm_core.guidance.planner import BALANCED, EXACT, FAST
from mm_core.guidance.program import Program
from mm_core.guidance.speed import SPEEDS, at_speed
from mm_core.types import Modality, Row

PROGRAM = Program((Modality("a", 3.0), Modality("b", 0.5)))


def test_exact_and_balanced_keep_the_program():
    assert at_speed(PROGRAM, "exact") == (PROGRAM, EXACT)
    assert at_speed(PROGRAM, "balanced") == (PROGRAM, BALANCED)


def test_fast_mixes_all_inputs_into_one_row():
    program, effort = at_speed(PROGRAM, "fast")
    assert effort == FAST
    assert len(program.plan_at(0.0).rows) == 2


def test_draft_is_one_row_with_weights_as_strengths():
    program, effort = at_speed(PROGRAM, "draft")
    assert effort == EXACT
    assert program.plan_at(0.0).coefficients == {Row.of({"a": 3.0, "b": 0.5}): 1.0}


def test_fast_gives_an_input_with_a_weight_for_each_image_a_row_of_its_own():
    lists = Modality("a", (3.0, 2.0, 4.0, 0.0)), Modality("b", 2.0), Modality("c", 3.0)
    program, _ = at_speed(Program(lists), "fast")
    mixed = {"b": 0.5, "c": 0.0}
    assert set(program.plan_at(0.0).rows) == {
        Row.of("abc"), Row.of("bc"), Row.of({"a": 1.0, **mixed}), Row.of(mixed),
    }  # fmt: skip


def test_draft_takes_the_mean_of_a_list():
    program, _ = at_speed(Program((Modality("a", (3.0, 1.0, 0.0, 0.0)),)), "draft")
    assert program.plan_at(0.0).coefficients == {Row.of({"a": 1.0}): 1.0}


@pytest.mark.parametrize("composition", ["independent", "chained", "nested", "joint", "perp_neg"])
def test_fast_refuses_what_it_would_change_the_meaning_of(composition):
    with pytest.raises(PlanError, match=f"found {composition}: take leave_one_out, or the speed"):
        at_speed(Program((), composition), "fast")


def test_an_unknown_speed_is_refused_with_the_list():
    with pytest.raises(PlanError, match=r"no speed 'warp'; choose from \['exact', 'balanced'"):
        at_speed(PROGRAM, "warp")
    assert list(SPEEDS) == ["exact", "balanced", "fast", "draft"]
