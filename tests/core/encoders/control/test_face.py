"""A face is white discs."""

import numpy as np
import torch

from mm_core.encoders.control.face import draw_face


def drawn(*points, like_core=False):
    canvas = np.zeros((40, 40, 3), np.uint8)
    draw_face(canvas, torch.tensor(points, dtype=torch.float64), 0.3, like_core)
    return canvas


def test_a_point_is_a_white_disc_of_radius_3():
    y, x = np.mgrid[:40, :40]
    disc = (x - 20) ** 2 + (y - 11) ** 2 <= 9
    assert (drawn([20.9, 11.2, 1.0]) == 255 * disc[..., None]).all()


def test_points_that_are_not_seen_or_lie_in_the_first_row_or_column_are_not_drawn():
    assert (drawn([20.0, 11.0, 0.2], [0.9, 11.0, 1.0], [20.0, 0.0, 1.0]) == 0).all()


def test_core_draws_no_point_outside():
    assert drawn([41.0, 11.0, 1.0]).any()
    assert not drawn([41.0, 11.0, 1.0], like_core=True).any()
