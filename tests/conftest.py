"""Fixtures of every level."""

import pytest
import torch

torch.set_num_threads(max(1, torch.get_num_threads() // 2))


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)
