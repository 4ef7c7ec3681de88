"""Tables that must agree with each other, and with the conventions they name."""

import torch

from mm_core.embedded.scenes import attributes as a
from mm_core.encoders.segmentation import TOLERANCE


def test_every_name_has_its_colour():
    assert len(a.COLOR_RGB) == len(a.COLORS)
    assert len(a.NOTE_RGB) == len(a.NOTE_NAMES)
    assert len(a.SEGMENT_RGB) == len(a.SEGMENTS)
    assert len(a.FRAME_PATTERNS) == len(a.TIMBRES)


def test_the_segments_are_the_ground_then_every_shape_then_the_person():
    assert ("background", *a.SHAPES, "person") == a.SEGMENTS


def test_the_joints_are_the_first_fourteen_of_body_18():
    assert a.JOINTS == (
        "nose", "neck", "r_shoulder", "r_elbow", "r_wrist", "l_shoulder", "l_elbow", "l_wrist",
        "r_hip", "r_knee", "r_ankle", "l_hip", "l_knee", "l_ankle",
    )  # fmt: skip


def test_segmentation_colours_are_farther_apart_than_what_is_forgiven():
    rgb = a.SEGMENT_RGB.float() / 255
    apart = torch.cdist(rgb, rgb) + 9 * torch.eye(len(rgb))
    assert apart.min() > TOLERANCE


def test_words_are_told_apart_by_their_colour():
    for rgb in (a.COLOR_RGB, a.NOTE_RGB):
        assert (torch.cdist(rgb, rgb) + 9 * torch.eye(len(rgb))).min() > 0.3
