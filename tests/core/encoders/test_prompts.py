"""Prompts become things, or are refused in words."""

import pytest
import torch

from mm_core.encoders.prompts import Prompted, things
from mm_core.errors import InputError

PICTURE = torch.zeros(1, 3, 20, 30)
POINTS = torch.tensor([[3.0, 4.0, 1.0], [29.0, 19.0, 0.0]])
BOXES = torch.tensor([[0.0, 0.0, 5.0, 5.0], [2.0, 2.0, 30.0, 20.0]])


def test_points_are_about_one_thing():
    (thing,) = things(Prompted(PICTURE, POINTS), "mine")
    assert torch.equal(thing.points, POINTS[None])
    assert thing.boxes is None


def test_each_box_is_a_thing():
    found = things(Prompted(PICTURE, boxes=BOXES), "mine")
    assert [thing.boxes.tolist() for thing in found] == [[box] for box in BOXES.tolist()]


def test_points_with_a_box_are_about_the_same_thing():
    (thing,) = things(Prompted(PICTURE, POINTS, BOXES[:1]), "mine")
    assert thing.points.shape == (1, 2, 3)
    assert thing.boxes.shape == (1, 4)


def test_without_a_prompt_there_is_no_thing():
    assert things(Prompted(PICTURE), "mine") == []


@pytest.mark.parametrize(
    ("points", "boxes", "words"),
    [
        (POINTS[:0], None, r"found points \[\]; needed at least one"),
        (POINTS + 0.5, None, "needed at least one, each x and y in pixels and 1"),
        (POINTS * float("nan"), None, "needed at least one"),
        (torch.tensor([[31.0, 4.0, 1.0]]), None, "outside the picture of 30 x 20 pixels"),
        (torch.tensor([[-1.0, 4.0, 1.0]]), None, "outside the picture"),
        (None, BOXES[:0], r"found boxes \[\]"),
        (None, BOXES[:, [2, 3, 0, 1]], "as corners in pixels: left, top, right, bottom"),
        (POINTS, BOXES, "found points and 2 boxes"),
    ],
)
def test_prompts_that_mean_nothing_are_refused(points, boxes, words):
    with pytest.raises(InputError, match=words):
        things(Prompted(PICTURE, points, boxes), "mine")


@pytest.mark.parametrize("corner", [(31.0, 0.0), (0.0, 21.0), (-9.0, 0.0), (0.0, -9.0)])
def test_a_box_outside_the_picture_is_refused(corner):
    box = torch.tensor([[*corner, corner[0] + 5, corner[1] + 5]])
    with pytest.raises(InputError, match="found a box outside the picture of 30 x 20 pixels"):
        things(Prompted(PICTURE, boxes=box), "mine")
