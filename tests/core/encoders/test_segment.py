"""Segmentation by a model that tells colours apart, and a small one of the real class."""

from types import SimpleNamespace

import numpy as np
import pytest
import tiny_estimators as tiny
import torch
from torch import nn

from mm_core.encoders.control.palette import ADE20K, COCO
from mm_core.encoders.families import load_encoder
from mm_core.encoders.segment import (
    Segmenter,
    direct_scores,
    mask2former_scores,
    oneformer_scores,
)


class Colours(nn.Module):
    """Scores red, green and blue by how much of them there is."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, pixel_values, task):
        assert task.dtype == torch.long
        return SimpleNamespace(logits=pixel_values * self.weight)


def prepare(pictures):
    arrays = [torch.from_numpy(np.array(p)).permute(2, 0, 1) / 255 for p in pictures]
    return {"pixel_values": torch.stack(arrays), "task": torch.zeros(1, dtype=torch.long)}


@pytest.fixture
def segmenter():
    names = {0: "red", 1: "green", 2: "blue"}
    return Segmenter("mine", "test", Colours(), prepare, direct_scores, names)


@pytest.fixture
def flags():
    """Red over green; all blue."""
    pictures = torch.zeros(2, 3, 10, 8)
    pictures[0, 0, :4] = pictures[0, 1, 4:] = pictures[1, 2] = 1
    return pictures


def test_each_pixel_has_its_class_and_each_class_its_mask(segmenter, flags):
    found = segmenter(flags)
    assert found.classes[0].unique(dim=1).flatten().tolist() == [0] * 4 + [1] * 6
    assert found.labels == ("red", "green", "blue")
    assert torch.equal(found.masks, flags)


def test_classes_that_no_picture_shows_have_no_mask(segmenter, flags):
    assert segmenter(flags[1:]).labels == ("blue",)


@pytest.mark.parametrize(("palette", "first"), [(ADE20K, "787878"), (COCO, "dc143c")])
def test_classes_of_a_palette_are_painted_in_it(segmenter, flags, palette, first):
    segmenter.names = dict(enumerate(palette.classes))
    painted = segmenter(flags).control
    colour = [c / 255 for c in bytes.fromhex(first)]
    assert painted[0, :, 0, 0].tolist() == pytest.approx(colour)


def test_classes_of_no_palette_are_not_painted(segmenter, flags):
    assert segmenter(flags).control is None
    segmenter.names = {i: f"x{i}" for i in range(150)}
    assert segmenter(flags).control is None


def test_masks_can_be_left_out(segmenter, flags):
    segmenter.only = ()
    found = segmenter(flags)
    assert found.masks.shape == (2, 0, 10, 8)
    assert found.classes.unique().tolist() == [0, 1, 2]


def test_pictures_are_counted_as_they_are_done(segmenter, flags):
    said = []
    segmenter(flags, lambda done, total: said.append((done, total)))
    assert said == [(1, 2), (2, 2)]


def test_half_precision_reaches_the_model_and_whole_numbers_stay(segmenter, flags):
    segmenter.module.half()
    assert segmenter(flags).labels == ("red", "green", "blue")


def test_queries_are_compared_at_the_size_that_transformers_takes(noise):
    found = SimpleNamespace(
        class_queries_logits=noise(1, 4, 6), masks_queries_logits=noise(1, 4, 8, 8)
    )
    assert mask2former_scores(found).shape == (1, 5, 384, 384)
    assert oneformer_scores(found).shape == (1, 5, 8, 8)


@pytest.mark.usefixtures("transformers")
def test_a_small_segformer_names_every_pixel(tmp_path, noise):
    tiny.segformer(tmp_path)
    found = load_encoder(tmp_path)(noise(1, 3, 40, 71).sigmoid())
    assert found.classes.shape == (1, 40, 71)
    assert torch.equal(found.masks.sum(1), torch.ones(1, 40, 71))
    index = [int(label.removeprefix("thing-")) for label in found.labels]
    assert index == found.classes.unique().tolist()
