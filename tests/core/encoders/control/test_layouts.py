"""The published index tables, and the ways between them."""

import pytest
import torch

from mm_core.encoders.control import layouts

# As numbers, from the libraries that publish them.
PUBLISHED_25_TO_18 = (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)
PUBLISHED_17_TO_18 = (0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
NECK = 1


def points(n, score=0.9):
    k = torch.arange(n).double()
    return torch.stack([10 * k, 10 * k + 1, torch.full_like(k, score)], 1)


def test_tables_are_the_published_numbers():
    assert layouts.BODY_25_TO_18 == PUBLISHED_25_TO_18
    assert layouts.COCO_17_TO_18 == PUBLISHED_17_TO_18
    assert layouts.BODY_25_TO_FEET == (19, 20, 21, 22, 23, 24)
    assert layouts.EYES == (14, 15)
    assert layouts.WRISTS == (7, 4)


def test_a_body_of_coco_is_the_same_points_by_name():
    body = layouts.body_of_coco(points(17))
    for k, index in enumerate(PUBLISHED_17_TO_18):
        if index is not None:
            assert torch.equal(body[k], points(17)[index])


def test_the_neck_is_halfway_between_the_shoulders_and_as_sure_as_the_less_sure_one():
    coco = points(17)
    coco[5, 2], coco[6, 2] = 0.5, 0.75
    assert layouts.body_of_coco(coco)[NECK].tolist() == [55.0, 56.0, 0.5]


@pytest.mark.parametrize(("left", "right"), [(0.3, 0.9), (0.9, 0.3), (0.0, 0.0)])
def test_there_is_no_neck_unless_both_shoulders_are_above_the_threshold(left, right):
    coco = points(17)
    coco[5, 2], coco[6, 2] = left, right
    assert layouts.body_of_coco(coco)[NECK, 2] == 0
    assert coco[5, 2] == left  # the points given are left alone


def test_coco_and_back_is_the_same():
    assert torch.equal(layouts.coco_of_body(layouts.body_of_coco(points(17))), points(17))


def test_body_25_gives_body_and_feet_and_nothing_twice():
    body, feet = layouts.body_of_25(points(25)), layouts.feet_of_25(points(25))
    used = torch.cat([body, feet])[:, 0].div(10).long().tolist()
    assert sorted([*used, 8]) == list(range(25))  # 8 is the middle of the hips
    assert feet[:, 0].tolist() == [190, 200, 210, 220, 230, 240]


def test_the_eyes_of_a_face_are_the_bodys_right_one_first():
    face = layouts.face_of_68(points(68), points(18))
    assert torch.equal(face[:68], points(68))
    assert face[68:, 0].tolist() == [140, 150]
