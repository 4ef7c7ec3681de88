"""The loss against cross-entropies written by hand, both ways round."""

import math

import pytest
import torch
import torch.nn.functional as F

from mm_core.fusion.contrastive import MOST, START, contrastive, contrastive_of_all, top_1


def unit(noise, *shape):
    return F.normalize(noise(*shape, dtype=torch.float64), dim=-1)


def by_hand(a, b, scale):
    n, total = len(a), 0.0
    for seekers, sought in ((a, b), (b, a)):
        for i in range(n):
            scores = [scale * float(seekers[i] @ sought[j]) for j in range(n)]
            total += math.log(sum(math.exp(s) for s in scores)) - scores[i]
    return total / (2 * n)


@pytest.mark.parametrize("log_scale", [START, 0.0, 2.5])
def test_is_the_mean_of_both_directions(noise, log_scale):
    a, b = unit(noise, 5, 3), unit(noise, 5, 3)
    found = contrastive(a, b, torch.tensor(log_scale, dtype=torch.float64))
    assert found.item() == pytest.approx(by_hand(a, b, math.exp(log_scale)))


def test_both_directions_count(noise):
    # Two of b are the same and near all of a: finding b is easy to spoil, finding a is not.
    a, b = unit(noise, 4, 6), unit(noise, 4, 6)
    scale = torch.tensor(1.0, dtype=torch.float64)
    forward = F.cross_entropy(math.e * a @ b.T, torch.arange(4))
    backward = F.cross_entropy(math.e * b @ a.T, torch.arange(4))
    assert abs(forward - backward) > 1e-2
    torch.testing.assert_close(contrastive(a, b, scale), (forward + backward) / 2)
    torch.testing.assert_close(contrastive(a, b, scale), contrastive(b, a, scale))


def test_the_temperature_learns_and_stops_at_a_hundredth(noise):
    a, b = unit(noise, 4, 3), unit(noise, 4, 3)
    log_scale = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda s: contrastive(a, b, s), (log_scale,))
    at_most = contrastive(a, b, torch.tensor(math.log(100.0), dtype=torch.float64))
    torch.testing.assert_close(contrastive(a, b, torch.tensor(50.0, dtype=torch.float64)), at_most)


@pytest.mark.parametrize("beyond", [0.0, 0.5])
def test_the_temperature_leaves_the_hundredth_again(noise, beyond):
    a, b = unit(noise, 4, 3), unit(noise, 4, 3)  # strangers: the scores should be closer
    step = 1e-5
    slope = (by_hand(a, b, 100 * math.exp(step)) - by_hand(a, b, 100 * math.exp(-step))) / 2 / step
    log_scale = torch.tensor(MOST + beyond, dtype=torch.float64, requires_grad=True)
    contrastive(a, b, log_scale).backward()
    assert log_scale.grad.item() == pytest.approx(slope, rel=1e-4)
    assert slope > 0


def test_equal_vectors_cost_the_logarithm_of_their_number(noise):
    same = unit(noise, 1, 3).expand(7, 3)
    found = contrastive(same, same, torch.tensor(START, dtype=torch.float64))
    assert found.item() == pytest.approx(math.log(7))


def test_all_pairs_count_over_the_samples_that_have_both(noise):
    a, b, c = (unit(noise, 4, 3) for _ in range(3))
    yes, some = torch.ones(4, dtype=torch.bool), torch.tensor([True, False, True, True])
    found = contrastive_of_all(
        {"a": a, "b": b, "c": c},
        {"a": yes, "b": some, "c": yes},
        torch.tensor(0.0, dtype=torch.float64),
    )
    expected = (by_hand(a[some], b[some], 1) + by_hand(a, c, 1) + by_hand(b[some], c[some], 1)) / 3
    assert found.item() == pytest.approx(expected)


def test_nothing_to_compare_costs_nothing_and_still_has_a_gradient(noise):
    log_scale = torch.tensor(START, requires_grad=True)
    loss = contrastive_of_all({"a": unit(noise, 2, 3)}, {"a": torch.ones(2) > 0}, log_scale)
    loss.backward()
    assert loss == 0
    assert log_scale.grad == 0


def test_retrieval_counts_who_finds_whom():
    a = torch.eye(3)
    b = torch.tensor([[1.0, 0, 0], [0, 0, 1], [0, 0.9, 0]])
    assert top_1(a, a) == (1.0, 1.0)
    assert top_1(a, b) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    near = torch.tensor([[1.0, 0, 0], [0.9, 0.1, 0], [0, 0, 1]])
    assert top_1(a, near) == (1.0, pytest.approx(2 / 3))
