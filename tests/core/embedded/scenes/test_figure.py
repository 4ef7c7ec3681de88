"""A figure has fixed bones, and its painted parts cover its joints."""

from itertools import pairwise

import pytest
import torch

from mm_core.embedded.scenes.attributes import PIXELS
from mm_core.embedded.scenes.figure import J, part_distances, sample_joints


@pytest.fixture
def figures(rng):
    scale = 0.8 + 0.3 * torch.rand(40, generator=rng)
    pelvis = torch.tensor([0.5, 0.55]).expand(40, 2)
    arms = torch.arange(40) % 4
    return sample_joints(rng, pelvis, scale, arms), scale


def bones(joints, start, end):
    return (joints[:, J[end]] - joints[:, J[start]]).norm(dim=1)


@pytest.mark.parametrize("bone", [("elbow", "wrist"), ("shoulder", "elbow"), ("hip", "knee")])
def test_bones_are_as_long_left_as_right_and_grow_with_the_figure(figures, bone):
    joints, scale = figures
    left, right = (bones(joints, f"{side}_{bone[0]}", f"{side}_{bone[1]}") for side in "lr")
    torch.testing.assert_close(left, right)
    share = left / scale
    torch.testing.assert_close(share, share[:1].expand(40))


def test_a_figure_stands_upright_and_faces_the_viewer(figures):
    joints, _ = figures
    height = [joints[:, J[name], 1] for name in ("nose", "neck", "r_hip", "r_knee")]
    assert all((upper < lower).all() for upper, lower in pairwise(height))
    assert (joints[:, J["r_shoulder"], 0] < joints[:, J["l_shoulder"], 0]).all()


@pytest.mark.parametrize(
    ("joint", "part"),
    [("nose", "head"), ("l_wrist", "hands"), ("r_elbow", "arms"), ("l_knee", "legs"),
     ("r_ankle", "legs")],
)  # fmt: skip
def test_every_part_covers_its_joints(figures, joint, part):
    joints, scale = figures[0][:8], figures[1][:8]
    cell = (joints[:, J[joint]] * PIXELS).long()
    distance = part_distances(joints, scale)[part][torch.arange(8), cell[:, 1], cell[:, 0]]
    assert distance.max() < 0
