"""Points in the middles of cells, and which masks are worth keeping."""

import pytest
import torch

from mm_core.encoders.grid import Grid, distinct, grid_points, passable, stability
from mm_core.errors import InputError


def test_points_stand_in_the_middles_of_cells():
    points = grid_points(2, 10, 40)
    assert points.tolist() == [[10, 2.5], [30, 2.5], [10, 7.5], [30, 7.5]]


def test_a_mask_with_hard_edges_is_stable_and_a_soft_one_is_not():
    hard = torch.full((4, 10), -9.0)
    hard[:, :5] = 9
    soft = torch.linspace(-9.5, 9.5, 20).expand(4, 20)  # 19 in 20 steps of 1: 9 above 1, 11 above
    assert stability(hard[None]).tolist() == [1]
    assert stability(soft[None]).tolist() == [pytest.approx(9 / 11)]


def test_nothing_is_not_stable():
    assert stability(torch.full((1, 3, 3), -5.0)).tolist() == [0]


def test_only_sure_stable_masks_of_something_pass():
    hard = torch.full((1, 4, 10), -9.0)
    hard[..., :5] = 9
    soft = torch.linspace(-2, 2, 10).expand(1, 4, 10)
    nothing = torch.full((1, 4, 10), -9.0)
    logits = torch.cat([hard, hard, soft, nothing])
    scores = torch.tensor([0.95, 0.5, 0.95, 0.95])
    assert passable(logits, scores, Grid()).tolist() == [0]


@pytest.mark.parametrize(("by", "kept"), [("box", [1]), ("mask", [1, 0])])
def test_two_triangles_have_one_box_and_two_masks(by, kept):
    upper = torch.ones(8, 8).triu()
    logits = torch.stack([upper, 1 - upper]) * 2 - 1
    logits[1, 7, 7] = logits[1, 0, 0] = 1  # so that both boxes are the whole square
    found = distinct(logits, torch.tensor([0.9, 0.95]), Grid(by=by))
    assert found.tolist() == kept


@pytest.mark.parametrize("wrong", [{"a_side": 0}, {"at_once": 0}, {"a_side": 999}])
def test_a_grid_that_cannot_be_is_refused(wrong):
    with pytest.raises(InputError, match="needed"):
        Grid(**wrong)
