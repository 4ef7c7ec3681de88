"""Differences of ways, by hand."""

import pytest
import torch

from mm_core.evaluation.bench.near import attempts, difference


def test_differences_are_pair_by_pair_between_groups():
    near = {"a": torch.tensor([0.1, 0.1, 0.3, 0.3] * 2), "a, best of 2": torch.full((8,), 0.5)}
    gain = attempts(near)["a"]
    assert gain["value"] == pytest.approx(0.3)
    assert gain["interval"] == pytest.approx(0, abs=1e-6)  # both groups gain the same
    assert difference(near, "a", "a") is None
    assert difference(near, "a", "c") is None
