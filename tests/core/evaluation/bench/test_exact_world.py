"""The methods in the exact world: what is known of their rows and errors beforehand."""

import pytest
import torch

from mm_core.evaluation.analytic import make_world
from mm_core.evaluation.bench.exact_world import COMPARED, compare, levels, off, sample
from mm_core.evaluation.bench.methods import METHODS, in_band
from mm_core.guidance.program import Program
from mm_core.types import Modality


@pytest.fixture(scope="module")
def found():
    steps = []
    lines = compare(lambda: steps.append(1), counts=(2,), observed=(100,))
    assert len(steps) == len(COMPARED)
    return {line["method"]: line for line in lines}


def test_levels_fall_from_40_to_nothing():
    made = levels()
    assert float(made[0]) == pytest.approx(40)
    assert float(made[-2]) == pytest.approx(0.02)
    assert len(made) == 31
    assert bool((made.diff() < 0).all())


def test_rows_are_those_of_each_rule(found):
    """12 of the 30 levels lie in the band."""
    rows = {name: line["rows"] for name, line in found.items()}
    assert rows["unguided"] == rows["draft"] == 1
    assert rows["everywhere"] == rows["independent"] == 3  # the null row keeps its coefficient
    assert rows["exact"] == pytest.approx(1 + 2 * 12 / 30)
    assert rows["joint"] == rows["weighted_negative"] == pytest.approx(1 + 12 / 30)
    assert rows["balanced"] < rows["exact"]
    assert rows["fast"] < rows["joint"]


def test_what_saves_nothing_is_its_own_exact(found):
    saving = {"balanced", "fast", "adaptive", "residual cache"}
    assert {name for name, line in found.items() if line["error"] > 0} == saving


def test_keeping_rows_by_the_planner_errs_least(found):
    assert found["balanced"]["error"] < 0.01
    assert found["fast"]["error"] < found["residual cache"]["error"] < found["adaptive"]["error"]


def test_equal_weights_make_the_mixed_row_the_null_row(found):
    assert found["joint"]["distance"] == pytest.approx(found["weighted_negative"]["distance"])


def test_a_sample_is_the_same_every_time():
    world = make_world(1, (6,), seed=1, observed=100)
    program = in_band(Program(tuple(Modality(name, 2.0) for name in world.names)))
    one, other = (sample(world, METHODS[0].start(program, "eps"), 4)[0] for _ in range(2))
    assert torch.equal(one, other)
    assert off(one + 0.5 * one.std(), one) == pytest.approx(0.5)
