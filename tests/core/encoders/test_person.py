"""People among what a detector finds."""

import json
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mm_core.encoders.person import PersonDetector, load_detector, person_label, shown
from mm_core.errors import InputError


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, pixel_values):
        return SimpleNamespace(logits=pixel_values, pred_boxes=pixel_values)


class Finds:
    """Three things: a person, a car, and a person outside the picture."""

    boxes = torch.tensor([[1.0, 2.0, 9.0, 12.0], [0.0, 0.0, 5.0, 5.0], [30.0, 2.0, 40.0, 12.0]])

    def __call__(self, images, return_tensors):
        return {"pixel_values": torch.zeros(1, 3, 8, 8)}

    def post_process_object_detection(self, found, threshold, target_sizes):
        assert target_sizes == [(16, 20)]
        return [{"boxes": self.boxes, "labels": torch.tensor([7, 3, 7])}]


def test_only_people_in_the_picture_are_found():
    detector = PersonDetector("mine", Detector(), Finds(), label=7)
    assert detector(torch.zeros(1, 3, 16, 20)).tolist() == [[1, 2, 9, 12]]


def test_a_box_must_show_two_pixels_of_the_picture():
    boxes = torch.tensor([[-5.0, 0.0, 1.9, 9.0], [-5.0, 0.0, 2.0, 9.0], [3.0, 3.0, 3.0, 9.0]])
    assert shown(boxes, 10, 10).tolist() == [False, True, False]


@pytest.mark.parametrize("name", ["person", "Person", "pedestrian"])
def test_a_person_is_found_by_name(name):
    assert person_label({0: "car", 5: name}, "mine") == 5


def test_a_detector_of_other_things_is_refused():
    with pytest.raises(InputError, match="mine: found a detector of cat, dog and 0 more; needed"):
        person_label({0: "cat", 1: "dog"}, "mine")


def test_a_folder_that_detects_nothing_is_refused_by_what_it_is(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "vitpose"}))
    save_file({"a": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match="'vitpose', which is no detector of people that is known"):
        load_detector(tmp_path)
