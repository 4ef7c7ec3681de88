"""Discounts for what several pushes share: closed forms, and the exact world."""

import pytest
import torch

from mm_core.errors import PlanError
from mm_core.evaluation.analytic import energy_distance, euler, make_world
from mm_core.guidance.algebra import combine
from mm_core.guidance.compositions import COMPOSITIONS
from mm_core.guidance.overlap import discounts
from mm_core.guidance.program import Program
from mm_core.types import NULL, Modality, Row


def along(*axes):
    """One image for each tuple of numbers: a push with these components."""
    return torch.tensor(axes, dtype=torch.float32).view(len(axes), 1, 1, -1)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_equal_pushes_share_one(count):
    kept = discounts([along((3.0, 4.0))] * count)
    assert kept == pytest.approx(torch.full((1, count), 1.3 / (count + 0.3)))


def test_perpendicular_pushes_stay_whole():
    kept = discounts([along((2.0, 0.0, 0.0)), along((0.0, 0.1, 0.0)), along((0.0, 0.0, 7.0))])
    assert kept == pytest.approx(torch.ones(1, 3))


def test_two_pushes_of_cosine_c_keep_what_the_formula_says():
    kept = discounts([along((1.0, 0.0)), along((0.6, 0.8))])  # cosine 0.6
    assert kept == pytest.approx(torch.full((1, 2), 1.3 / 1.9))  # (1 + r) / (1 + r + c)


def test_opposed_pushes_are_never_enlarged():
    assert discounts([along((1.0, 0.0)), along((-0.6, 0.8))]) == pytest.approx(torch.ones(1, 2))


def test_images_do_not_see_each_other_and_a_push_of_nothing_disturbs_none():
    both = discounts([along((3.0, 4.0), (0.0, 0.0)), along((3.0, 4.0), (1.0, 2.0))])
    assert both == pytest.approx(torch.tensor([[1.3 / 2.3] * 2, [1.0, 1.0]]))


def test_a_plan_discounts_by_the_share_it_is_told():
    rows = {NULL: along((0.0, 0.0)), Row.of("a"): along((1.0, 0.0)), Row.of("b"): along((1.0, 0.0))}
    modalities = (Modality("a", 3.0), Modality("b", 5.0))

    def result(overlap):
        return combine(rows, Program(modalities, "independent", overlap=overlap).plan_at(0.0))

    assert float(result(0.0)[..., 0]) == 8.0
    assert float(result(1.0)[..., 0]) == pytest.approx(8.0 * 1.3 / 2.3)
    assert float(result(0.5)[..., 0]) == pytest.approx(8.0 * (0.5 + 0.5 * 1.3 / 2.3))


def test_rows_that_cancel_are_run_when_their_differences_are_needed():
    modalities = (Modality("a", 0.4), Modality("b", 0.6))
    assert NULL not in Program(modalities, "independent").plan_at(0.0).rows
    assert NULL in Program(modalities, "independent", overlap=1.0).plan_at(0.0).rows


def test_one_input_is_as_without_overlap():
    plain = Program((Modality("a", 3.0),)).plan_at(0.0)
    assert Program((Modality("a", 3.0),), overlap=1.0).plan_at(0.0).rows == plain.rows


@pytest.mark.parametrize(
    "composition", sorted(COMPOSITIONS.keys() - {"leave_one_out", "independent"})
)
def test_other_compositions_refuse_it(composition):
    with pytest.raises(PlanError, match=f"found {composition}: set overlap to 0"):
        Program((Modality("a", 3.0),), composition, overlap=0.5)


@pytest.mark.parametrize("overlap", [-0.1, 1.1, float("nan")])
def test_an_overlap_outside_0_to_1_is_refused(overlap):
    with pytest.raises(PlanError, match="it must be between 0 and 1"):
        Program((), overlap=overlap)


def test_it_brings_the_independent_sum_nearer_to_the_truth_in_the_exact_world():
    world = make_world(3, (10, 6, 6), seed=4)
    levels = torch.tensor([80.0, 30, 12, 6, 3, 1.6, 0.9, 0.5, 0.25, 0.1, 0.03, 0.0]).double()
    start = 80 * torch.randn(96, 64, generator=torch.Generator().manual_seed(1)).double()
    truth = world.truth(96, seed=2)

    def distance(overlap):
        modalities = tuple(Modality(name, 4.0) for name in world.names)
        program = Program(modalities, "independent", overlap=overlap)

        def guided(x, noise, following):
            plan = program.plan_at(0.5)
            rows = {r: world.denoise(x, noise, r)[:, :, None, None] for r in plan.rows}
            return combine(rows, plan)[:, :, 0, 0]

        return energy_distance(euler(guided, start, levels), truth)

    assert distance(1.0) < 0.7 * distance(0.0)
