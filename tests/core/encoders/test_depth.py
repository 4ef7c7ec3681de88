"""Depth: which unit a folder speaks, what padding is cut, and small models of the real classes."""

from types import SimpleNamespace

import pytest
import tiny_estimators as tiny
import torch
import torch.nn.functional as F
from torch import nn

from mm_core.encoders.depth import (
    DepthEstimator,
    anything_unit,
    as_processor,
    canonical,
    dpt_unit,
    pro_unit,
    without_padding,
)
from mm_core.encoders.families import load_encoder
from mm_core.errors import InputError


class Nearer(nn.Module):
    """Says of each pixel of a grey picture how bright it is."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, pixel_values):
        return SimpleNamespace(predicted_depth=pixel_values.mean(1) * self.weight)


class Processor:
    """To and fro without a change of size."""

    def __call__(self, images, return_tensors):
        rows = [torch.tensor(list(im.convert("RGB").tobytes())) for im in images]
        pixels = [r.view(im.height, im.width, 3) for r, im in zip(rows, images, strict=True)]
        return {"pixel_values": torch.stack(pixels).permute(0, 3, 1, 2) / 255}

    def post_process_depth_estimation(self, found, target_sizes):
        return [{"predicted_depth": d} for d in found.predicted_depth]


@pytest.fixture
def estimator():
    return DepthEstimator("mine", "test", Nearer(), Processor(), "metres", as_processor)


def greys(*levels):
    return torch.stack([torch.full((3, 9, 12), level / 255) for level in levels])


def test_each_picture_has_its_own_depth_in_the_unit_of_the_model(estimator):
    found = estimator(greys(51, 204))
    assert found.depth_unit == "metres"
    torch.testing.assert_close(found.depth, greys(51, 204)[:, :1])


def test_the_map_is_white_where_it_is_near(estimator):
    picture = torch.full((1, 3, 9, 12), 204 / 255)  # metres
    picture[..., :3] = 51 / 255
    found = estimator(picture).control
    assert found[0, :, 0].unique(dim=1).tolist() == [[0, 1]] * 3
    assert (found[..., :3] == 1).all()


def test_pictures_are_counted_as_they_are_done(estimator):
    said = []
    estimator(greys(1, 2, 3), lambda done, total: said.append((done, total)))
    assert said == [(1, 3), (2, 3), (3, 3)]


def test_no_gradient_is_kept_and_half_precision_ends_in_single(estimator):
    estimator.module.half()
    found = estimator(greys(51)).depth
    assert found.dtype == torch.float32
    assert not found.requires_grad


def test_nothing_to_see_is_refused_by_name(estimator):
    with pytest.raises(InputError, match="mine: found no picture"):
        estimator(torch.zeros(0, 3, 9, 9))


@pytest.mark.parametrize(
    ("unit_of", "config", "unit"),
    [
        (dpt_unit, {}, "inverse"),
        (dpt_unit, {"backbone_config": None}, "inverse"),
        (dpt_unit, {"backbone_config": {"model_type": "swinv2"}}, "inverse"),
        (dpt_unit, {"backbone_config": {"model_type": "dinov2"}}, "metres"),
        (anything_unit, {}, "inverse"),
        (anything_unit, {"depth_estimation_type": "relative"}, "inverse"),
        (anything_unit, {"depth_estimation_type": "metric"}, "metres"),
        (pro_unit, {}, "inverse"),
        (pro_unit, {"use_fov_model": True}, "metres"),
    ],
)
def test_a_folder_says_its_unit(unit_of, config, unit):
    assert unit_of(config) == unit


def test_padding_by_reflection_is_cut_off_again(noise):
    # The sides of the padding: 3 times the root of half the length, rounded down.
    seen = noise(1, 32, 18).abs()
    padded = F.pad(seen[:, None], (9, 9, 12, 12), mode="reflect")[:, 0]
    found = SimpleNamespace(predicted_depth=padded)
    cut = without_padding(SimpleNamespace(do_pad=True), found, 32, 18)
    torch.testing.assert_close(cut[0], seen)


def test_without_padding_nothing_is_cut(noise):
    seen = noise(1, 8, 9)
    found = SimpleNamespace(predicted_depth=seen)
    kept = without_padding(SimpleNamespace(do_pad=False), found, 8, 9)
    torch.testing.assert_close(kept[0], seen)


def test_without_a_field_of_view_depth_pro_gives_inverse_depth():
    found = SimpleNamespace(predicted_depth=torch.tensor([[[2.0, 4.0]]]))
    assert canonical(Processor(), found, 1, 2).flatten().tolist() == [0.5, 0.25]


@pytest.mark.usefixtures("transformers")
@pytest.mark.parametrize(
    ("build", "unit"), [(tiny.dpt, "inverse"), (tiny.depth_anything, "inverse"),
                        (tiny.zoedepth, "metres")],
)  # fmt: skip
def test_a_small_model_gives_depth_at_the_pictures_size(tmp_path, noise, build, unit):
    build(tmp_path)
    pictures = noise(2, 3, 40, 71).sigmoid()
    found = load_encoder(tmp_path)(pictures)
    assert found.depth.shape == (2, 1, 40, 71)
    assert found.depth_unit == unit
    assert found.depth.std() > 0
    alone = load_encoder(tmp_path)(pictures[1:])
    assert torch.equal(alone.depth, found.depth[1:])


@pytest.mark.usefixtures("transformers")
def test_a_depth_model_is_no_pose_model(tmp_path):
    tiny.dpt(tmp_path)
    with pytest.raises(InputError, match=r"an encoder of depth \(DPT\), needed one of pose"):
        load_encoder(tmp_path, kind="pose")
