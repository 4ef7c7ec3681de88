"""Refuses what a training that diverged has left."""

import torch
from torch import nn

from ...errors import InputError


def check_finite(network: nn.Module, rate: float) -> None:
    """InputError unless every number of the network is finite. rate: that it was trained with."""
    for name, value in network.state_dict().items():
        if not torch.isfinite(value).all():
            raise InputError(
                f"the training diverged: {name} has numbers that are not finite; lower the rate, "
                f"which is {rate:g}, or scale the data down, and choose another --work"
            )
