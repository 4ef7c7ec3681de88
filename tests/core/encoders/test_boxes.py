"""Overlaps against areas counted by hand, and the two promises of suppression."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mm_core.encoders.boxes import (
    box_overlap,
    clip,
    mask_boxes,
    mask_overlap,
    suppress,
    with_size,
)

CORNERS = torch.tensor([[0.0, 0.0, 2.0, 2.0], [1.0, 1.0, 3.0, 3.0], [5.0, 4.0, 6.0, 8.0]])


def rectangles(corners, height=9, width=8):
    masks = torch.zeros(len(corners), height, width, dtype=torch.bool)
    for mask, (left, top, right, bottom) in zip(masks, corners.int().tolist(), strict=True):
        mask[top:bottom, left:right] = True
    return masks


def test_a_box_with_size_is_what_coco_writes():
    assert with_size(CORNERS)[2].tolist() == [5, 4, 1, 4]


def test_a_box_is_clipped_to_the_picture():
    assert clip(torch.tensor([[-3.0, 2.0, 9.0, 99.0]]), 10, 8).tolist() == [[0, 2, 8, 10]]


def test_overlap_is_shared_area_over_all_area():
    expected = torch.tensor([[1, 1 / 7, 0], [1 / 7, 1, 0], [0, 0, 1]])
    torch.testing.assert_close(box_overlap(CORNERS), expected)


def test_masks_of_rectangles_overlap_as_their_boxes_do():
    torch.testing.assert_close(mask_overlap(rectangles(CORNERS)), box_overlap(CORNERS))


def test_the_box_of_a_rectangle_is_its_corners():
    assert torch.equal(mask_boxes(rectangles(CORNERS)), CORNERS)


def test_nothing_has_no_box_and_overlaps_nothing():
    nothing = torch.zeros(2, 4, 4, dtype=torch.bool)
    assert mask_boxes(nothing).tolist() == [[0] * 4] * 2
    assert mask_overlap(nothing).sum() == box_overlap(mask_boxes(nothing)).sum() == 0


@pytest.mark.parametrize(("most", "kept"), [(0.5, [1, 0, 2]), (0.1, [1, 2])])
def test_of_two_that_overlap_too_much_the_better_one_stays(most, kept):
    scores = torch.tensor([0.5, 0.9, 0.1])
    assert suppress(scores, box_overlap(CORNERS), most).tolist() == kept


def test_equal_scores_stay_in_their_order():
    assert suppress(torch.ones(3), torch.eye(3), 0.5).tolist() == [0, 1, 2]


def test_of_nothing_nothing_stays():
    assert suppress(torch.zeros(0), torch.zeros(0, 0), 0.5).tolist() == []


@given(st.integers(0, 2**16), st.integers(1, 12), st.floats(0, 1))
def test_what_stays_is_distinct_and_what_goes_had_a_better_one(seed, count, most):
    rng = torch.Generator().manual_seed(seed)
    ends = torch.rand(count, 2, 2, generator=rng).sort(1).values
    overlap = box_overlap(ends.flatten(1))
    scores = torch.rand(count, generator=rng)
    kept = suppress(scores, overlap, most).tolist()
    assert scores[kept].tolist() == sorted(scores[kept].tolist(), reverse=True)
    for i in range(count):
        better = [k for k in kept if scores[k] > scores[i] and overlap[i, k] > most]
        assert (i in kept) == (not better)
