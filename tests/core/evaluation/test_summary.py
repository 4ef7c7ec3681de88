"""Means with intervals, against numbers worked out by hand."""

import math

import pytest
import torch

from mm_core.evaluation.summary import summarize, table


def test_eight_of_ten_has_the_interval_of_wilson():
    # Wilson 1927: centre 0.7167, from 0.4902 to 0.9433, as the textbook example has it.
    found = summarize(torch.tensor([1.0] * 8 + [0.0] * 2))
    z, n, p = 1.96, 10, 0.8
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert half == pytest.approx((0.9433 - 0.4902) / 2, abs=1e-4)
    assert found == {"value": 0.8, "interval": round(half, 4), "n": 10}


def test_cases_that_all_agree_still_have_an_interval():
    assert summarize(torch.ones(10))["interval"] == pytest.approx(0.1388, abs=1e-4)


def test_numbers_have_the_normal_interval_of_their_mean():
    found = summarize(torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5]))
    deviation = math.sqrt((0.04 + 0.01 + 0 + 0.01 + 0.04) / 4)
    assert found["value"] == 0.3
    assert found["interval"] == round(1.96 * deviation / math.sqrt(5), 4)


def test_no_case_has_no_value_and_one_case_no_interval():
    assert summarize(torch.zeros(0)) == {"value": None, "interval": None, "n": 0}
    assert summarize(torch.tensor([0.3])) == {"value": 0.3, "interval": None, "n": 1}


def test_a_table_summarizes_every_measure():
    found = table({"a": torch.ones(3), "b": torch.zeros(2)})
    assert {name: (m["value"], m["n"]) for name, m in found.items()} == {"a": (1, 3), "b": (0, 2)}
