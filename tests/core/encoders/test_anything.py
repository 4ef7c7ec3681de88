"""Segment Anything with a model that knows one picture: two squares, and nothing else."""

from types import SimpleNamespace

import pytest
import tiny_estimators as tiny
import torch
import torch.nn.functional as F
from torch import nn

from mm_core.encoders.anything import AnythingSegmenter, Fit, painted, sam2_enlarge, sam2_fit
from mm_core.encoders.families import load_encoder
from mm_core.encoders.grid import Grid
from mm_core.encoders.prompts import Prompted

PICTURE = torch.zeros(1, 3, 20, 40)
SQUARES = torch.zeros(2, 20, 40, dtype=torch.bool)
SQUARES[0, 2:12, 4:14] = True
SQUARES[1, 5:18, 22:36] = True


class Squares(nn.Module):
    """Gives the square at the first point, or at the middle of the box, three times.

    It is surest of the second time, and the others are wrong; of nothing it is not sure.
    """

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def get_image_embeddings(self, pixel_values):
        return [pixel_values]

    def forward(
        self, image_embeddings, multimask_output, input_points=None, input_labels=None,
        input_boxes=None,
    ):  # fmt: skip
        if input_points is None:
            where = input_boxes[0].unflatten(-1, (2, 2)).mean(1)
        else:
            assert input_labels.shape == input_points.shape[:3]
            where = input_points[0, :, 0]
        squares = F.interpolate(SQUARES[None].float(), (64, 64), mode="nearest-exact")[0]
        masks, sure = [], []
        for x, y in where.long().tolist():
            here = [s for s in squares if s[y, x]]
            masks.append((here[0] if here else torch.ones(64, 64)) * 20 - 10)
            sure.append([0.2, 0.95, 0.1] if here else [0.1] * 3)
        stacked = torch.stack(masks)[None]
        three = torch.stack([-stacked, stacked, -stacked], 2)
        return SimpleNamespace(pred_masks=three, iou_scores=torch.tensor([sure]))


class Processor:
    size = {"height": 64, "width": 64}  # noqa: RUF012

    def __call__(self, images, return_tensors):
        return {"pixel_values": torch.zeros(1, 3, 64, 64)}

    def post_process_masks(self, masks, sizes):
        return [F.interpolate(masks[0], sizes[0], mode="nearest-exact") > 0]


@pytest.fixture
def segmenter():
    parts = (Squares(), Processor(), sam2_fit, sam2_enlarge)
    return AnythingSegmenter("mine", "test", *parts, grid=Grid(a_side=8, at_once=10))


def nearly(found, expected):
    """Equal but for the pixels lost when 40 columns become 64 and 40 again."""
    return (found.bool() ^ expected).float().mean() < 0.02


def test_everything_is_found_once(segmenter):
    found = segmenter(PICTURE)
    assert found.labels == ("thing 1", "thing 2")
    order = (0, 1) if nearly(found.masks[0, 0], SQUARES[0]) else (1, 0)
    assert nearly(found.masks[0], SQUARES[list(order)])
    assert torch.equal(found.classes > 0, found.masks.any(1))


def test_parts_of_the_grid_are_counted_over_all_pictures(segmenter):
    said = []
    segmenter(PICTURE.expand(2, -1, -1, -1), lambda done, total: said.append((done, total)))
    assert said == [(i, 14) for i in range(1, 15)]  # 64 points, 10 at once, twice


def test_a_point_asks_for_the_thing_it_is_in(segmenter):
    found = segmenter(Prompted(PICTURE, points=torch.tensor([[30.0, 10.0, 1.0]])))
    assert found.labels == ("thing 1",)
    assert nearly(found.masks[0, 0], SQUARES[1])


def test_each_box_asks_for_its_own_thing(segmenter):
    boxes = torch.tensor([[20.0, 5.0, 36.0, 18.0], [4.0, 2.0, 14.0, 12.0]])
    found = segmenter(Prompted(PICTURE, boxes=boxes))
    assert nearly(found.masks[0], SQUARES.flip(0))


def test_where_nothing_is_nothing_is_found(segmenter):
    segmenter.grid = Grid(a_side=1)  # its point is beside both squares
    found = segmenter(PICTURE)
    assert found.masks.shape == (1, 0, 20, 40)
    assert found.labels == ()
    assert not found.classes.any()


def test_points_go_to_the_pixels_of_the_models_input():
    fit = Fit(height=20, width=40, rows=32, columns=64, side=64)
    assert fit.place(torch.tensor([[40.0, 20.0], [10.0, 5.0]])).tolist() == [[64, 32], [16, 8]]


def test_what_is_padding_is_not_compared():
    fit = Fit(height=20, width=40, rows=32, columns=64, side=64)
    assert fit.filled(torch.zeros(3, 16, 16)).shape == (3, 8, 16)


def test_small_things_lie_over_large_ones():
    masks = torch.zeros(2, 3, 3, dtype=torch.bool)
    masks[0, 1, 1] = masks[1] = True
    assert painted(masks).tolist() == [[2, 2, 2], [2, 1, 2], [2, 2, 2]]


@pytest.mark.usefixtures("transformers")
def test_a_small_sam_answers_points_boxes_and_nothing(tmp_path, noise):
    tiny.sam(tmp_path)
    encoder = load_encoder(tmp_path)
    pictures = noise(2, 3, 40, 71).sigmoid()
    boxes = torch.tensor([[0.0, 0.0, 30.0, 30.0], [9.0, 9.0, 70.0, 39.0], [1.0, 2.0, 9.0, 9.0]])
    assert encoder(Prompted(pictures, boxes=boxes)).masks.shape == (2, 3, 40, 71)
    encoder.grid = Grid(a_side=3, sure=-99.0, stable=-1.0, overlap=1.0)
    found = encoder(pictures)
    assert found.masks.shape[1] > 1
    alone = encoder(pictures[1:])
    assert torch.equal(alone.masks[0], found.masks[1, : alone.masks.shape[1]])
