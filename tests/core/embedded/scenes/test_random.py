"""Draws stay in their range and come from the generator alone."""

import torch

from mm_core.embedded.scenes.random import integers, uniform


def test_uniform_numbers_fill_their_range_and_stay_in_it(rng):
    drawn = uniform(rng, 10_000, -2.0, 3.0)
    assert -2 <= drawn.min() < -1.99
    assert 2.99 < drawn.max() <= 3


def test_every_integer_below_the_count_comes_up_and_no_other(rng):
    assert integers(rng, 1000, 5).unique().tolist() == [0, 1, 2, 3, 4]


def test_draws_come_from_the_generator_alone():
    before = torch.get_rng_state()
    first = uniform(torch.Generator().manual_seed(3), 5, 0.0, 1.0)
    again = uniform(torch.Generator().manual_seed(3), 5, 0.0, 1.0)
    assert torch.equal(first, again)
    assert torch.equal(torch.get_rng_state(), before)
