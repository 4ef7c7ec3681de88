"""Private streams of random numbers."""

import torch

from mm_core.priors.noise import Noise, candidate_seed


def test_an_image_has_its_own_numbers_whatever_its_neighbours():
    alone, among = Noise([7]), Noise([1, 7, 9])
    for _ in range(3):
        assert torch.equal(alone.normal(5)[0], among.normal(5)[1])
    rng = torch.Generator().manual_seed(9)
    assert torch.equal(Noise([9]).normal(5)[0], torch.randn(5, generator=rng))


def test_choices_have_the_shares_of_their_probabilities():
    shares = torch.tensor([0.1, 0.0, 0.6, 0.3])
    chosen = Noise(range(4000)).choose(shares.expand(4000, -1))
    found = torch.bincount(chosen, minlength=4) / 4000
    assert found[1] == 0
    torch.testing.assert_close(found, shares, atol=0.025, rtol=0)  # three standard deviations


def test_probabilities_need_not_sum_to_one():
    p = torch.rand(6, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(Noise(range(6)).choose(p), Noise(range(6)).choose(7 * p))


def test_attempts_differ_from_each_other_and_from_neighbouring_images():
    seeds = [candidate_seed(s, k) for s in range(50) for k in range(8)]
    assert len(set(seeds)) == len(seeds)
    assert candidate_seed(123, 0) == 123
    assert all(0 <= s < 2**64 for s in [candidate_seed(2**64 - 1, k) for k in range(8)])
