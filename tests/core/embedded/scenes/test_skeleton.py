"""Skeletons in the published colours, where the joints are."""

import pytest
import torch

from mm_core.embedded.scenes.skeleton import draw_people, draw_skeleton

# ControlNet's annotator (openpose/util.py): colours by point, and limbs, 1-based there.
COLORS = [
    [255, 0, 0], [255, 85, 0], [255, 170, 0], [255, 255, 0], [170, 255, 0], [85, 255, 0],
    [0, 255, 0], [0, 255, 85], [0, 255, 170], [0, 255, 255], [0, 170, 255], [0, 85, 255],
    [0, 0, 255], [85, 0, 255],
]  # fmt: skip
LIMBS = [
    [2, 3], [2, 6], [3, 4], [4, 5], [6, 7], [7, 8], [2, 9], [9, 10], [10, 11], [2, 12], [12, 13],
    [13, 14], [2, 1],
]  # fmt: skip


@pytest.fixture
def joints():
    """Fourteen points on a circle around the neck, so that most limbs stay apart."""
    angle = torch.arange(14) / 14 * 2 * torch.pi
    points = 0.5 + 0.42 * torch.stack([angle.cos(), angle.sin()], 1)
    points[1] = 0.5
    return points


def at(picture, point):
    column, row = (point * picture.shape[-1]).long().tolist()
    return picture[:, row, column]


def test_every_joint_has_its_colour(joints):
    drawn = draw_skeleton(joints[None], torch.tensor([0.03]))[0]
    found = torch.stack([at(drawn, p) for p in joints]) * 255
    torch.testing.assert_close(found, torch.tensor(COLORS).float(), rtol=0, atol=4)


@pytest.mark.parametrize("limb", range(13))
def test_every_limb_has_six_tenths_of_its_colour(joints, limb):
    a, b = (joints[k - 1] for k in LIMBS[limb])
    drawn = draw_skeleton(joints[None], torch.tensor([0.02]), pixels=256)[0]
    found = at(drawn, (0.5 * a + 0.5 * b)) * 255
    torch.testing.assert_close(found, 0.6 * torch.tensor(COLORS[limb]).float(), rtol=0, atol=4)


def test_all_else_is_black(joints):
    drawn = draw_skeleton(joints[None] * 0.5, torch.tensor([0.02]))[0]
    assert drawn[:, 40:, 40:].max() < 1e-3


def test_people_are_drawn_like_the_skeletons_of_the_training_scenes(joints):
    person = torch.cat([joints, torch.ones(14, 1)], 1)
    person = torch.cat([person, torch.ones(4, 3)])  # eyes and ears are not drawn
    expected = draw_skeleton(joints[None], torch.tensor([0.014]))
    torch.testing.assert_close(draw_people(person[None]), expected)


def test_a_point_that_is_not_seen_is_not_drawn_nor_are_its_limbs(joints):
    person = torch.cat([torch.cat([joints, torch.ones(14, 1)], 1), torch.ones(4, 3)])
    person[4, 2] = 0.29  # the right wrist, with the limb to it
    drawn = draw_people(person[None])[0]
    assert at(drawn, joints[4]).max() < 1e-3
    assert at(drawn, (joints[3] + joints[4]) / 2).max() < 1e-3
    assert at(drawn, joints[3]).max() > 0.5


def test_the_second_person_is_in_front(joints):
    ones = torch.ones(18, 1)
    first = torch.cat([torch.cat([joints, torch.ones(4, 2)]), ones], 1)
    second = first.clone()
    second[:14, :2] = joints.roll(1, 0)
    both = draw_people(torch.stack([first, second]))[0]
    alone = draw_people(second[None])[0]
    torch.testing.assert_close(at(both, joints[0]), at(alone, joints[0]), rtol=0, atol=0.02)
