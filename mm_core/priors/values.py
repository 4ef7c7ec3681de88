"""Whether the numbers in a prior's tensors can be used."""

from collections.abc import Mapping

import torch

from ..errors import WeightsError
from ..types import Tensor

KINDS = {"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"}
"""As safetensors calls them. 8-bit ones are converted: torch can, but cannot compute with them."""
ENDLESS = {torch.float8_e4m3fn: 0x7F, torch.float8_e5m2: 0x7C}
"""The first pattern, without its sign, that is no finite number. Source: Micikevicius et al. 2022,
arXiv 2209.05433, table 1."""
POSITIVE = ("clip_std", "reach")  # what is divided by


def check_kinds(kinds: Mapping[str, str], source: str) -> None:
    """WeightsError naming the first tensor that holds no floating point. kinds: of each tensor."""
    for name, kind in kinds.items():
        if kind not in KINDS:
            raise WeightsError(
                f"{source} cannot be used: {name} holds {kind}, needed floating point "
                f"({', '.join(sorted(KINDS))}); choose the file as it was published"
            )


def check_values(tensors: Mapping[str, Tensor], source: str) -> None:
    """WeightsError naming the first tensor with numbers that cannot be.

    One pass over the weights, far shorter than reading them: extremes carry what is not finite.
    """
    for name, tensor in tensors.items():
        if not tensor.numel():
            continue
        if not _finite(tensor):
            raise WeightsError(
                f"{source} is damaged: {name} holds numbers that are not finite; download it again"
            )
        if name in POSITIVE and (low := float(tensor.float().min())) <= 0:
            raise WeightsError(
                f"{source} is damaged: {name} holds {low:g}, needed numbers above 0 "
                "everywhere; download it again"
            )


def _finite(tensor: Tensor) -> bool:
    if tensor.dtype in ENDLESS:  # converting takes four times as long
        return int((tensor.view(torch.uint8) & 0x7F).max()) < ENDLESS[tensor.dtype]
    low, high = tensor.aminmax()
    return bool(torch.isfinite(low) and torch.isfinite(high))
