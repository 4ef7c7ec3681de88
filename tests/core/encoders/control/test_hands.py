"""Twenty bones of a hand in the colours of the rainbow."""

import numpy as np
import pytest
import torch

from mm_core.encoders.control.hands import EDGES, draw_hand, edge_color


def grid_hand():
    """Points 12 pixels apart, so that no disc hides a bone's middle."""
    k = torch.arange(21)
    return torch.stack([10 + 12.0 * (k % 5), 10 + 12.0 * (k // 5), torch.ones(21)], 1).double()


def canvas():
    return np.zeros((90, 90, 3), np.uint8)


def test_every_finger_leaves_the_wrist_and_has_four_bones():
    published = [
        [0, 1], [1, 2], [2, 3], [3, 4], [0, 5], [5, 6], [6, 7], [7, 8], [0, 9], [9, 10], [10, 11],
        [11, 12], [0, 13], [13, 14], [14, 15], [15, 16], [0, 17], [17, 18], [18, 19], [19, 20],
    ]  # fmt: skip
    assert [list(edge) for edge in EDGES] == published


def test_hues_go_once_around():
    assert edge_color(0) == (255, 0, 0)
    assert edge_color(5) == (128, 255, 0)  # hue 90 degrees
    assert edge_color(5, whole=True) == (127, 255, 0)
    assert edge_color(10) == (0, 255, 255)
    assert edge_color(15) == (127, 0, 255) or edge_color(15) == (128, 0, 255)
    assert all(max(edge_color(k)) == 255 and min(edge_color(k)) == 0 for k in range(20))


def test_a_bone_has_its_colour_and_joints_are_blue():
    c = canvas()
    draw_hand(c, grid_hand(), 0.3, like_core=False)
    # Bone 3 to 4 is number 3, along the first row: its middle is at x = 52.
    assert tuple(c[10, 52]) == edge_color(3)
    assert tuple(c[10, 46]) == (0, 0, 255)


@pytest.mark.parametrize("hidden", [3, 4])
def test_a_bone_with_a_point_that_is_not_seen_is_left_out(hidden):
    c, hand = canvas(), grid_hand()
    hand[hidden, 2] = 0.29
    draw_hand(c, hand, 0.3, like_core=False)
    assert (c[10, 52] == 0).all()
    assert (c[10, 10 + 12 * hidden] == 0).all()


def test_points_of_the_first_row_and_column_are_not_drawn():
    c, hand = canvas(), torch.zeros(21, 3, dtype=torch.float64)
    hand[:, 2] = 1
    hand[:, 0] = 40
    draw_hand(c, hand, 0.3, like_core=False)
    assert (c == 0).all()


def test_outside_the_canvas_the_two_hosts_differ():
    hand = torch.zeros(21, 3, dtype=torch.float64)
    hand[3], hand[4] = torch.tensor([50.0, 50.0, 1.0]), torch.tensor([95.0, 50.0, 1.0])
    annotators, core = canvas(), canvas()
    draw_hand(annotators, hand, 0.3, like_core=False)
    draw_hand(core, hand, 0.3, like_core=True)
    assert annotators[50, 70].any()
    assert not core[50, 70].any()
    assert core[50, 50].any()
