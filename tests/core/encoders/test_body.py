"""Joints by name, and the frames that ComfyUI's pose nodes exchange."""

import json

import pytest
import torch

from mm_core.encoders.body import body_18, check_joints, frame
from mm_core.encoders.pose import people
from mm_core.errors import InputError

COCO = [
    "nose",
    "left-eye",
    "right-eye",
    "left-ear",
    "right-ear",
    "left-shoulder",
    "right-shoulder",
    "left-elbow",
    "right-elbow",
    "left-wrist",
    "right-wrist",
    "left-hip",
    "right-hip",
    "left-knee",
    "right-knee",
    "left-ankle",
    "right-ankle",
]
OPENPOSE = [
    "nose",
    "neck",
    "right-shoulder",
    "right-elbow",
    "right-wrist",
    "left-shoulder",
    "left-elbow",
    "left-wrist",
    "right-hip",
    "right-knee",
    "right-ankle",
    "left-hip",
    "left-knee",
    "left-ankle",
    "right-eye",
    "left-eye",
    "right-ear",
    "left-ear",
]


def joints(count=17):
    """Each joint at its own place: x is its number, y ten times that."""
    numbers = torch.arange(float(count)) + 1
    return torch.stack([numbers, 10 * numbers], 1), torch.full((count,), 0.9)


def triples(flat):
    return torch.tensor(flat).view(-1, 3)


def test_joints_keep_their_names():
    points, scores = joints()
    body = body_18(points, scores)
    for name, joint in zip(OPENPOSE, body, strict=True):
        if name != "neck":
            assert joint[:2].tolist() == points[COCO.index(name)].tolist(), name


@pytest.mark.parametrize(
    ("left", "right", "seen"),
    [(0.9, 0.5, True), (0.5, 0.9, True), (0.3, 0.9, False), (0.9, 0.3, False), (0.1, 0.1, False)],
)
def test_the_neck_is_between_shoulders_that_are_both_seen(left, right, seen):
    points, scores = joints()
    points[5], points[6] = torch.tensor([10.0, 20.0]), torch.tensor([30.0, 50.0])
    scores[5], scores[6] = left, right
    neck = body_18(points, scores)[1]
    assert neck[:2].tolist() == [20, 35]
    assert neck[2] == pytest.approx(min(left, right) if seen else 0)


def test_a_joint_is_seen_or_not_and_its_score_is_kept():
    points, scores = joints()
    scores[0], scores[1], scores[2] = 0.3, 0.31, 0.0
    (person,) = frame(points[None], scores[None], 480, 640)["people"]
    body = triples(person["pose_keypoints_2d"])
    assert set(body[:, 2].tolist()) == {0.0, 1.0}
    assert body[0].tolist() == [0, 0, 0]  # the nose, at the threshold
    assert body[15].tolist() == [2, 20, 1]
    assert person["scores"]["pose"][0] == pytest.approx(0.3)
    assert person["scores"]["pose"][15] == pytest.approx(0.31)


def test_what_a_model_of_bodies_does_not_know_is_zeros():
    points, scores = joints()
    (person,) = frame(points[None], scores[None], 480, 640)["people"]
    assert person["face_keypoints_2d"] == [0.0] * 210
    assert person["hand_left_keypoints_2d"] == person["hand_right_keypoints_2d"] == [0.0] * 63


def test_hands_face_and_feet_of_a_whole_body():
    points, scores = joints(133)
    (person,) = frame(points[None], scores[None], 2000, 2000)["people"]
    firsts = {
        part: triples(person[f"{part}_keypoints_2d"])[:, 0].tolist()
        for part in ("foot", "face", "hand_left", "hand_right")
    }
    # Numbers of COCO-WholeBody, counted from 1 as joints() does; eyes follow the 68 of the face.
    assert firsts["foot"] == list(range(18, 24))
    assert firsts["face"] == [*range(24, 92), 3, 2]
    assert firsts["hand_left"] == list(range(92, 113))
    assert firsts["hand_right"] == list(range(113, 134))


def test_a_frame_reads_back_as_the_same_people():
    points, scores = joints()
    written = frame(torch.stack([points, points + 5]), scores.expand(2, -1), 200, 200)
    found = people(json.loads(json.dumps([written])), "test")
    assert found.shape == (2, 18, 3)
    assert (found[1, 0] * 200).tolist() == pytest.approx([6, 15, 200])


def test_a_picture_without_people_is_a_frame_without_people():
    assert frame(torch.zeros(0, 17, 2), torch.zeros(0, 17), 4, 5) == {
        "canvas_width": 5,
        "canvas_height": 4,
        "people": [],
    }


def test_other_joints_are_refused():
    with pytest.raises(InputError, match=r"mine: found a model of 21 joints; needed 17 in COCO"):
        check_joints(21, "mine")
