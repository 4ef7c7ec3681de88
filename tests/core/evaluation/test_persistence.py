"""How much differences change, where that is known in closed form."""

import pytest
import torch

from mm_core.evaluation.persistence import persistence
from mm_core.guidance.planner import SPACES
from mm_core.types import NULL, Row

J = Row.of("a")
LEVELS = [8.0, 4.0, 2.0, 1.0]


def trace(space, x):
    """Rows whose difference is x in the units of a space, at every level."""
    return [(n, {J: x.cos(), NULL: x.cos() - SPACES[space](n) * x}) for n in LEVELS]


@pytest.fixture
def x(noise):
    return noise(2, 3, 4, 4)


@pytest.mark.parametrize("space", SPACES)
def test_what_is_constant_in_a_space_lasts_in_it(space, x):
    assert persistence(trace(space, x), J, space)[NULL] == pytest.approx(0, abs=1e-5)


def test_what_is_constant_in_eps_halves_its_x0_at_each_halving_of_the_noise(x):
    # |d(b) - d(a)| / |d(b)| = |n_b - n_a| / n_b = 1 over one step, 3 over two, 7 over three
    for gap, share in ((1, 1.0), (2, 3.0), (3, 7.0)):
        assert persistence(trace("eps", x), J, "x0", gap)[NULL] == pytest.approx(share, rel=1e-4)


def test_it_is_the_median_of_steps_and_the_mean_of_images(x):
    sizes = [1.0, 2.0, 2.0, 20.0]  # changes of 0.5, 0 and 0.9 in the first image
    still = torch.ones(2, 1, 1, 1)
    made = []
    for size in sizes:
        still = torch.tensor([size, 1.0]).view(2, 1, 1, 1)
        made.append((1.0, {J: 0 * x, NULL: -still * torch.ones_like(x)}))
    assert persistence(made, J, "x0")[NULL] == pytest.approx(0.5 / 2)


def test_the_start_of_a_flow_is_no_infinity(x):
    far = [(float("inf"), {J: x, NULL: 0 * x}), (20.0, {J: x, NULL: 0 * x})]
    assert 0 < persistence(far, J, "eps")[NULL] < 1  # 200 and 20: the farthest stands for it
