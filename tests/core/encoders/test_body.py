"""Which joints become which part of a person. The tables have tests of their own."""

import json

import pytest
import torch

from mm_core.encoders.body import check_joints, person
from mm_core.encoders.control.keypoints import frames_of, keypoints_of
from mm_core.encoders.control.people import Frame
from mm_core.errors import InputError


def joints(count=17):
    """Each joint at its own place: x is its number, counted from 1, and y ten times that."""
    numbers = torch.arange(float(count)) + 1
    return torch.stack([numbers, 10 * numbers], 1), torch.full((count,), 0.9)


@pytest.mark.parametrize(
    ("left", "right", "seen"),
    [(0.9, 0.5, True), (0.5, 0.9, True), (0.3, 0.9, False), (0.9, 0.3, False), (0.1, 0.1, False)],
)
def test_the_neck_is_between_shoulders_that_are_both_seen(left, right, seen):
    points, scores = joints()
    points[5], points[6] = torch.tensor([10.0, 20.0]), torch.tensor([30.0, 50.0])
    # In double precision: in single, 0.3 is a little above 0.3.
    scores = scores.double()
    scores[5], scores[6] = left, right
    neck = person(points.double(), scores).body[1]
    assert neck[:2].tolist() == [20, 35]
    assert neck[2] == pytest.approx(min(left, right) if seen else 0)


def test_a_body_alone_has_no_hands():
    found = person(*joints())
    assert found.body[0].tolist() == pytest.approx([1, 10, 0.9])
    assert found.face is found.left_hand is found.right_hand is found.feet is None


def test_hands_face_and_feet_of_a_whole_body():
    found = person(*joints(133))
    # Numbers of COCO-WholeBody, counted from 1 as joints() does; eyes follow the 68 of the face.
    assert found.feet[:, 0].tolist() == list(range(18, 24))
    assert found.face[:, 0].tolist() == [*range(24, 92), 3, 2]
    assert found.left_hand[:, 0].tolist() == list(range(92, 113))
    assert found.right_hand[:, 0].tolist() == list(range(113, 134))


def test_what_is_written_is_read_back_by_scores_that_count():
    points, scores = joints()
    scores[2] = 0.1  # the right eye
    written = keypoints_of([Frame(200, 200, (person(points, scores),))])
    body = torch.tensor(written[0]["people"][0]["pose_keypoints_2d"]).view(18, 3)
    assert set(body[:, 2].tolist()) == {0.0, 1.0}
    assert body[14, 2] == 0
    (frame,) = frames_of(json.loads(json.dumps(written)), "test")
    torch.testing.assert_close(frame.people[0].body, person(points, scores).body)


def test_other_joints_are_refused():
    with pytest.raises(InputError, match=r"mine: found a model of 21 joints; needed 17 in COCO"):
        check_joints(21, "mine")
