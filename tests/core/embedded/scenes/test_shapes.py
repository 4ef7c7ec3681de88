"""Signed distances against areas in closed form, and against the nearest of many points."""

import math

import pytest
import torch

from mm_core.embedded.scenes.attributes import SHAPES
from mm_core.embedded.scenes.shapes import DISTANCES, capsule

GRID = (torch.arange(1000) + 0.5) / 1000 * 3 - 1.5
# A star's area is that of ten triangles between a tip, a notch and the centre.
AREAS = {
    "circle": math.pi,
    "square": (2 * 0.86) ** 2,
    "triangle": (3 * 0.58) ** 2 / math.sqrt(3),  # equilateral, three inscribed radii high
    "star": 10 * 0.5 * 1.12 * 0.45 * math.sin(math.pi / 5),
    "ring": math.pi * (0.99**2 - 0.49**2),
    "heart": 1.2**2 + math.pi * 0.6**2,  # a square with two half discs
}


def inside(shape):
    u, v = GRID[None, :].expand(1000, -1), GRID[:, None].expand(-1, 1000)
    return DISTANCES[SHAPES.index(shape)](u, v) < 0


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_has_the_area_of_its_name(shape):
    area = inside(shape).float().mean().item() * 9
    assert area == pytest.approx(AREAS[shape], rel=0.01)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_its_own_mirror_image(shape):
    assert torch.equal(inside(shape), inside(shape).flip(1))


@pytest.mark.parametrize("shape", ["triangle", "star"])
def test_a_tip_points_up(shape):
    rows = inside(shape).any(1).nonzero()
    top = inside(shape)[rows[-1].item()]  # v grows upwards
    assert top.sum() < 20


def test_a_ring_has_a_hole():
    zero = torch.zeros(1)
    assert DISTANCES[SHAPES.index("ring")](zero, zero) > 0


def test_a_capsule_is_the_distance_to_the_nearest_point_of_its_axis_less_its_radius(rng):
    start, end = torch.rand(3, 2, generator=rng), torch.rand(3, 2, generator=rng)
    radius = torch.tensor([0.1, 0.02, 0.3])
    axis = torch.linspace(-0.5, 1.5, 20)
    x, y = axis[None, None, :], axis[None, :, None]
    found = capsule(x, y, start, end, radius)
    grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1).flatten(0, 1)
    steps = torch.linspace(0, 1, 2001)[:, None]
    for k in range(3):
        points = start[k] + steps * (end[k] - start[k])
        expected = torch.cdist(grid, points).amin(1) - radius[k]
        torch.testing.assert_close(found[k].flatten(), expected, rtol=0, atol=1e-3)


def test_a_capsule_of_no_length_is_a_disc():
    spot, axis = torch.tensor([[0.5, 0.5]]), torch.tensor([0.5, 0.8])
    found = capsule(axis[None, None, :], axis[None, :, None], spot, spot, torch.tensor([0.1]))
    assert found[0, 0].tolist() == pytest.approx([-0.1, 0.2], abs=1e-6)
