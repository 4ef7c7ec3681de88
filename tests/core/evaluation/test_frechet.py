"""The distance between point sets whose mean and covariance are known exactly."""

import math

import pytest
import torch

from mm_core.evaluation.frechet import frechet_distance


def cross(spreads, center=(0.0, 0.0)):
    """Four points on two axes: covariance diag(2/3 a^2, 2/3 b^2) with n - 1 = 3."""
    a, b = spreads
    return torch.tensor([[a, 0.0], [-a, 0.0], [0.0, b], [0.0, -b]]) + torch.tensor(center)


def test_equal_sets_have_distance_0():
    assert frechet_distance(cross((1.0, 2.0)), cross((1.0, 2.0))) == pytest.approx(0, abs=1e-9)


def test_a_shift_counts_squared():
    shifted = cross((1.0, 2.0), (3.0, -4.0))
    assert frechet_distance(cross((1.0, 2.0)), shifted) == pytest.approx(25)


def test_axis_parallel_gaussians_differ_by_their_spreads():
    # |m1 - m2|^2 + sum (s1 - s2)^2, for covariances that commute.
    found = frechet_distance(cross((1.0, 2.0)), cross((4.0, 1.0), (1.0, 0.0)))
    assert found == pytest.approx(1 + 2 / 3 * ((4 - 1) ** 2 + (2 - 1) ** 2))


def test_turned_gaussians_are_as_the_closed_form_in_two_dimensions_says():
    # tr sqrt(A B) = sqrt(tr(A B) + 2 sqrt(det(A B))) for 2 x 2 matrices.
    turn = torch.tensor([[math.cos(0.6), -math.sin(0.6)], [math.sin(0.6), math.cos(0.6)]])
    a, b = cross((1.0, 3.0)).double(), (cross((2.0, 0.5)) @ turn.T).double()
    ca, cb = (p.T @ p / 3 for p in (a, b))
    root = math.sqrt((ca @ cb).trace() + 2 * math.sqrt(ca.det() * cb.det()))
    expected = (ca.trace() + cb.trace()).item() - 2 * root
    assert frechet_distance(a, b) == pytest.approx(expected)
    assert frechet_distance(b, a) == pytest.approx(expected)
