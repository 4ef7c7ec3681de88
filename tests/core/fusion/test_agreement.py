"""Cosines with the others, and what they cost."""

import math

import pytest
import torch
import torch.nn.functional as F

from mm_core.fusion.agreement import agreement, loudness

ALL = torch.ones(1, dtype=torch.bool)


def turned(degrees):
    return torch.tensor([[math.cos(math.radians(degrees)), math.sin(math.radians(degrees))]])


def test_is_the_mean_cosine_with_the_others():
    vectors = {"a": turned(0), "b": turned(60), "c": turned(180)}
    found = agreement(vectors, dict.fromkeys(vectors, ALL))
    assert found["a"].item() == pytest.approx((0.5 - 1) / 2)
    assert found["b"].item() == pytest.approx((0.5 - 0.5) / 2)
    assert found["c"].item() == pytest.approx((-1 - 0.5) / 2)


def test_only_inputs_that_are_there_have_a_say():
    vectors = {"a": turned(0), "b": turned(60), "c": 0 * turned(0)}
    found = agreement(vectors, {"a": ALL, "b": ALL, "c": ~ALL})
    assert found["a"].item() == found["b"].item() == pytest.approx(0.5)
    assert found["c"].item() == 0


def test_an_input_that_is_alone_agrees():
    assert agreement({"a": turned(40)}, {"a": ALL})["a"].item() == 1


def test_the_order_does_not_matter(noise):
    vectors = {n: F.normalize(noise(3, 4), dim=-1) for n in "abc"}
    there = {n: torch.tensor([True, n != "b", True]) for n in "abc"}
    said = agreement(vectors, there)
    found = agreement({n: vectors[n] for n in "cab"}, there)
    for n in "abc":
        torch.testing.assert_close(found[n], said[n])


def test_loudness_falls_by_the_strength_below_what_is_expected():
    agreed = torch.tensor([0.9, 0.5, 0.25, -1.0])
    found = loudness(agreed, torch.tensor(2.0), torch.tensor(0.5))
    expected = [1.0, 1.0, math.exp(-0.5), math.exp(-3.0)]
    torch.testing.assert_close(found, torch.tensor(expected))


@pytest.mark.parametrize("strength", [0.0, -1.0])
def test_no_strength_is_1_everywhere_exactly(strength):
    found = loudness(torch.tensor([1.0, -1.0]), torch.tensor(strength), torch.tensor(0.5))
    assert found.tolist() == [1.0, 1.0]


def test_the_strength_can_leave_zero():
    strength = torch.tensor(0.0, requires_grad=True)
    loudness(torch.tensor([0.1]), strength, torch.tensor(0.5)).sum().backward()
    assert strength.grad.item() == pytest.approx(-0.4)


def test_an_input_that_agrees_as_expected_does_not_move_the_expectation():
    expected = torch.tensor(1.0, requires_grad=True)
    loudness(torch.tensor([1.0, 0.25]), torch.tensor(2.0), expected).sum().backward()
    assert expected.grad.item() == pytest.approx(-2 * math.exp(-2 * 0.75))  # of the second alone
