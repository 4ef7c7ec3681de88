"""Networks with and without numbers that are not finite."""

import pytest
import torch

from mm_core.errors import InputError
from mm_core.training.priors.finite import check_finite


def test_a_finite_network_passes():
    network = torch.nn.Linear(3, 2)
    network.register_buffer("count", torch.tensor(4))
    check_finite(network, 0.1)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["bias", "running_mean"])
def test_one_number_that_is_not_finite_is_refused_with_the_rate(number, name):
    network = torch.nn.BatchNorm1d(3)
    network.state_dict()[name][1] = number
    with pytest.raises(InputError, match=f"diverged: {name} has .* lower the rate, which is 0.02"):
        check_finite(network, 0.02)
