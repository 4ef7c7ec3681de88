"""One call of a loaded network: inputs go to where its weights are, in their precision."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from ..errors import InputError
from ..types import Float, Tensor
from .library import one_line


def forward(network: nn.Module, inputs: Mapping[str, Any]) -> Any:
    """What the network gives, without gradients. InputError where it refuses its inputs."""
    weight = next(network.parameters())
    placed = {
        name: x.to(weight.device, weight.dtype if x.is_floating_point() else None)
        for name, x in inputs.items()
    }
    try:
        with torch.no_grad():
            return network(**placed)
    except ValueError as e:
        raise InputError(
            f"{type(network).__name__} refuses what its folder's preprocessing gives it "
            f"({one_line(e)}); download both from one model"
        ) from e


def prepared(processor: Any, *given: Any, **options: Any) -> dict[str, Any]:
    """What a folder's processor makes of inputs, as tensors. InputError where its settings do not
    fit them."""
    try:
        return dict(processor(*given, return_tensors="pt", **options))
    except (ValueError, TypeError, RuntimeError, KeyError, IndexError, NameError) as e:
        raise InputError(
            f"the files that say how inputs are prepared do not fit this one ({one_line(e)}); "
            "download preprocessor_config.json and the weights of one model again"
        ) from e


def side_by_side(parts: list[Float[Tensor, "1 _ d"]]) -> tuple[Tensor, Tensor]:
    """Samples of different lengths as one tensor, padded with zeros, and which tokens are real."""
    length = max(part.shape[1] for part in parts)
    mask = torch.zeros(len(parts), length, dtype=torch.bool, device=parts[0].device)
    out = parts[0].new_zeros(len(parts), length, parts[0].shape[-1])
    for i, part in enumerate(parts):
        out[i, : part.shape[1]] = part[0]
        mask[i, : part.shape[1]] = True
    return out, mask
