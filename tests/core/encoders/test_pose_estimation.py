"""Poses: whose boxes a model is given, in which form, and what becomes of its joints."""

import json
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mm_core.encoders.families import load_encoder
from mm_core.encoders.pose_estimation import Boxed, PoseEstimator, expert_of
from mm_core.errors import InputError

PICTURES = torch.zeros(2, 3, 40, 60)
CORNERS = torch.tensor([[10.0, 20.0, 40.0, 38.0], [0.0, 0.0, 9.0, 30.0]])


class Model(nn.Module):
    def __init__(self, joints=17):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.config = SimpleNamespace(num_labels=joints)
        self.experts = []

    def forward(self, pixel_values, dataset_index=None):
        self.experts.append(None if dataset_index is None else dataset_index.tolist())
        joints = self.config.num_labels
        return SimpleNamespace(heatmaps=torch.zeros(len(pixel_values), joints, 2, 2))


class Processor:
    """Every joint of a person is in the middle of the box it is given, and surely seen."""

    def __init__(self):
        self.given = []

    def __call__(self, images, boxes, return_tensors):
        self.given.append(boxes)
        return {"pixel_values": torch.zeros(len(boxes[0]), 3, 8, 8)}

    def post_process_pose_estimation(self, found, boxes):
        middles = [torch.tensor([x + w / 2, y + h / 2]) for x, y, w, h in boxes[0]]
        joints = found.heatmaps.shape[1]
        return [[{"keypoints": m.expand(joints, 2), "scores": torch.ones(joints)} for m in middles]]


def estimator(detector=None, experts=False, joints=17):
    module = nn.ModuleDict({"pose": Model(joints)})
    return PoseEstimator("mine", "test", module, Processor(), detector, experts)


def noses(encoding):
    return [[p["pose_keypoints_2d"][:3] for p in f["people"]] for f in encoding.keypoints]


def test_the_model_is_given_boxes_with_size():
    encoder = estimator()
    found = encoder(Boxed(PICTURES[:1], [CORNERS]))
    assert encoder.processor.given == [[[[10, 20, 30, 18], [0, 0, 9, 30]]]]
    assert noses(found) == [[[25, 29, 1], [4.5, 15, 1]]]
    assert (found.keypoints[0]["canvas_width"], found.keypoints[0]["canvas_height"]) == (60, 40)


def test_without_boxes_or_detector_the_picture_is_one_person():
    encoder = estimator()
    assert noses(encoder(PICTURES)) == [[[30, 20, 1]]] * 2


def test_a_detector_is_asked_of_each_picture():
    asked = []

    def detector(picture):
        asked.append(picture)
        return CORNERS[: len(asked) - 1]

    found = estimator(detector)(PICTURES)
    assert [len(people) for people in noses(found)] == [0, 1]


def test_nobody_is_no_error():
    encoder = estimator()
    (found,) = encoder(Boxed(PICTURES[:1], [CORNERS[:0]])).keypoints
    assert found == {"canvas_width": 60, "canvas_height": 40, "people": []}
    assert encoder.processor.given == []


def test_people_are_drawn_where_they_are():
    found = estimator()(Boxed(PICTURES, [CORNERS[:1], CORNERS[:0]])).control
    assert found.shape == (2, 3, 40, 60)
    rows, columns = found[0].any(0).nonzero().unbind(1)
    assert (rows.float().mean(), columns.float().mean()) == (29, 25)  # the middle of the box
    assert not found[1].any()


def test_a_crowd_goes_through_the_model_in_parts():
    encoder = estimator()
    found = encoder(Boxed(PICTURES[:1], [CORNERS[:1].expand(70, 4)]))
    assert [len(boxes[0]) for boxes in encoder.processor.given] == [32, 32, 6]
    assert len(found.keypoints[0]["people"]) == 70


@pytest.mark.parametrize(
    ("experts", "joints", "index"), [(False, 17, None), (True, 17, [0, 0]), (True, 133, [5, 5])]
)
def test_a_model_with_experts_is_told_which(experts, joints, index):
    encoder = estimator(experts=experts, joints=joints)
    encoder(Boxed(PICTURES[:1], [CORNERS]))
    assert encoder.module["pose"].experts == [index]


def test_experts_are_those_of_the_joints_data_set():
    assert (expert_of(17), expert_of(133)) == (0, 5)


@pytest.mark.parametrize(
    ("boxes", "words"),
    [
        ([CORNERS], "found boxes for 1 pictures and 2 pictures"),
        ([CORNERS, CORNERS[:, [2, 3, 0, 1]]], "needed corners in pixels: left, top, right"),
        ([CORNERS, CORNERS * float("nan")], "needed corners in pixels"),
    ],
)
def test_boxes_that_are_none_are_refused(boxes, words):
    with pytest.raises(InputError, match=words):
        estimator()(Boxed(PICTURES, boxes))


def test_a_detector_is_no_pose_model(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "rt_detr"}))
    save_file({"a": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match=r"'rt_detr', a detector of people.*choose a pose model"):
        load_encoder(tmp_path, kind="pose")
