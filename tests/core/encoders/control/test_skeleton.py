"""Skeletons, pixel by pixel, and the published order, colours and widths in closed form."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mm_core.encoders.control.keypoints import frames_of
from mm_core.encoders.control.people import Frame, Person
from mm_core.encoders.control.skeleton import (
    ANNOTATORS,
    CORE,
    LIMBS,
    XINSIR,
    Drawing,
    draw_frame,
    draw_frames,
    stick_scale,
)
from mm_core.errors import InputError

GOLDEN = Path(__file__).parents[3] / "golden"
# ControlNet's annotator (openpose/util.py): limbs, counted from 1 there, and colours by point.
PUBLISHED = [
    [2, 3], [2, 6], [3, 4], [4, 5], [6, 7], [7, 8], [2, 9], [9, 10], [10, 11], [2, 12], [12, 13],
    [13, 14], [2, 1], [1, 15], [15, 17], [1, 16], [16, 18],
]  # fmt: skip
COLORS = [
    [255, 0, 0], [255, 85, 0], [255, 170, 0], [255, 255, 0], [170, 255, 0], [85, 255, 0],
    [0, 255, 0], [0, 255, 85], [0, 255, 170], [0, 255, 255], [0, 170, 255], [0, 85, 255],
    [0, 0, 255], [85, 0, 255], [170, 0, 255], [255, 0, 255], [255, 0, 170], [255, 0, 85],
]  # fmt: skip


def pixels(picture):
    return (picture[0].permute(1, 2, 0) * 255).round().byte().numpy()


def golden(name):
    return np.asarray(Image.open(GOLDEN / f"{name}.png").convert("RGB"))


@pytest.fixture(scope="module")
def crowd():
    """Two people with hands and faces, parts hidden, parts outside the canvas."""
    (frame,) = frames_of(json.loads((GOLDEN / "pose.json").read_text()), "pose", hands="named")
    return frame


@pytest.fixture
def alone():
    """All points of a body on a circle around the neck, far from each other."""
    angle = torch.arange(18).double() / 18 * 2 * torch.pi
    body = torch.stack([250 + 220 * angle.cos(), 250 + 220 * angle.sin(), torch.ones(18)], 1)
    body[1, :2] = 250
    return Frame(500, 500, (Person(body),))


# The pictures were drawn by controlnet_aux 0.0.10 and by ComfyUI 0.33's own node, with OpenCV 4.14.
def test_every_pixel_is_the_annotators(crowd):
    assert np.array_equal(pixels(draw_frame(crowd, ANNOTATORS)), golden("pose_annotators"))


def test_every_pixel_is_comfyuis(crowd):
    assert np.array_equal(pixels(draw_frame(crowd, CORE)), golden("pose_core"))


def test_every_pixel_is_the_annotators_with_wider_sticks(crowd):
    place = torch.tensor([[3.0, 0, 0], [0, 3.0, 0]], dtype=torch.float64)
    people = tuple(person.moved(place) for person in crowd.people)
    wide = Frame(3 * crowd.width, 3 * crowd.height, people)
    assert np.array_equal(pixels(draw_frame(wide, XINSIR)), golden("pose_xinsir"))


def test_limbs_are_the_published_ones_in_order():
    assert [[a + 1, b + 1] for a, b in LIMBS] == PUBLISHED


@pytest.mark.parametrize("limb", range(17))
@pytest.mark.parametrize(("drawing", "level"), [(ANNOTATORS, 0.6), (CORE, 1.0)])
def test_a_limb_has_its_colour_at_the_level_and_runs_between_its_points(
    alone, limb, drawing, level
):
    a, b = (k - 1 for k in PUBLISHED[limb])
    body = alone.people[0].body.clone()
    hidden = [k for k in range(18) if k not in (a, b)]
    body[hidden, 2] = 0
    drawn = pixels(draw_frame(replace(alone, people=(Person(body),)), drawing))
    x, y = ((body[a] + body[b]) / 2)[:2].long().tolist()
    assert drawn[y, x].tolist() == [int(c * level) for c in COLORS[limb]]
    for k in (a, b):
        x, y = body[k, :2].long().tolist()
        assert drawn[y, x].tolist() == COLORS[k]


def test_later_limbs_cover_earlier_ones_and_joints_cover_limbs(alone):
    body = alone.people[0].body.clone()
    body[:, :2] = 250  # all in one place: the last joint is on top
    drawn = pixels(draw_frame(replace(alone, people=(Person(body),))))
    assert drawn[250, 250].tolist() == COLORS[17]


def test_a_limb_is_as_wide_as_an_ellipse_of_half_axis_4():
    body = torch.zeros(18, 3, dtype=torch.float64)
    body[1], body[2] = torch.tensor([20.0, 50.0, 1.0]), torch.tensor([120.0, 50.0, 1.0])
    drawn = pixels(draw_frame(Frame(140, 100, (Person(body),)))).any(-1)
    assert np.flatnonzero(drawn[:, 70]).tolist() == list(range(46, 55))
    wide = pixels(draw_frame(Frame(600, 100, (Person(body),)), XINSIR)).any(-1)
    assert np.flatnonzero(wide[:, 70]).tolist() == list(range(42, 59))


@pytest.mark.parametrize(
    ("side", "scale"), [(499, 1), (500, 2), (999, 2), (1000, 3), (2048, 4), (4999, 6), (16000, 7)]
)
def test_sticks_grow_with_the_longer_side(side, scale):
    assert stick_scale(side, 8) == stick_scale(8, side) == scale


def test_points_count_from_the_threshold_on(alone):
    body = alone.people[0].body.clone()
    body[:, 2] = 0.3
    frame = replace(alone, people=(Person(body),))
    assert pixels(draw_frame(frame)).any()
    assert not pixels(draw_frame(frame, Drawing(seen=0.31))).any()


@pytest.mark.parametrize("far", [1e5, -9e5, 1e18, -1e300])
def test_points_far_away_do_no_harm(alone, far):
    body = alone.people[0].body.clone()
    body[4] = torch.tensor([far, far, 1.0], dtype=torch.float64)
    drawn = pixels(draw_frame(replace(alone, people=(Person(body, left_hand=body[[4] * 21]),))))
    x, y = body[10, :2].long().tolist()
    assert drawn[y, x].tolist() == COLORS[10]


def test_parts_may_be_left_out(crowd):
    nothing = Drawing(body=False, hands=False, face=False)
    assert not pixels(draw_frame(crowd, nothing)).any()
    face = pixels(draw_frame(crowd, replace(nothing, face=True)))
    assert set(map(tuple, face.reshape(-1, 3).tolist())) == {(0, 0, 0), (255, 255, 255)}


def test_feet_are_drawn_on_demand_in_the_first_colours():
    feet = torch.tensor([[20.0 + 20 * k, 30.0, 1.0] for k in range(6)], dtype=torch.float64)
    frame = Frame(200, 60, (Person(torch.zeros(18, 3, dtype=torch.float64), feet=feet),))
    assert not pixels(draw_frame(frame)).any()
    drawn = pixels(draw_frame(frame, Drawing(feet=True)))
    assert [drawn[30, 20 + 20 * k].tolist() for k in range(6)] == COLORS[:6]


def test_who_comes_later_is_in_front(alone):
    body = alone.people[0].body
    turned = body[[0, 1, *range(3, 18), 2]]
    both = draw_frame(replace(alone, people=(Person(body), Person(turned))))
    front = draw_frame(replace(alone, people=(Person(turned),)))
    lit = front.sum(1, keepdim=True) > 0
    assert torch.equal(both * lit, front)


def test_frames_are_pictures_of_one_size(crowd):
    empty = Frame(crowd.width, crowd.height)
    drawn = draw_frames([crowd, empty])
    assert drawn.shape == (2, 3, crowd.height, crowd.width)
    assert torch.equal(drawn[:1], draw_frame(crowd))
    assert not drawn[1].any()
    with pytest.raises(InputError, match="found canvases of 10 x 20, 240 x 180; needed one size"):
        draw_frames([crowd, Frame(10, 20)])
    with pytest.raises(InputError, match="found canvases of no frame"):
        draw_frames([])


@pytest.mark.parametrize(
    ("bad", "said"), [({"limb_level": 1.5}, "level is 1.5"), ({"seen": 0.0}, "confidence 0.0")]
)
def test_a_drawing_is_checked(bad, said):
    with pytest.raises(InputError, match=said):
        Drawing(**bad)
