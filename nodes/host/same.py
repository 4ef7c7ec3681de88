"""Whether two values of a CONDITIONING are the same."""

from collections.abc import Mapping
from typing import Any

import torch

SETTINGS = (str, int, float, bool)


def same(one: Any, other: Any) -> bool:
    """Equal numbers, words and tensors, and sequences of these; anything else by identity."""
    if one is other:
        return True
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.shape == other.shape and torch.equal(one.cpu(), other.cpu())
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return isinstance(one, SETTINGS) and one == other


def is_setting(value: Any) -> bool:
    """A number or a word, or a tuple of these: how something is done, rather than something."""
    if isinstance(value, tuple):
        return all(map(is_setting, value))
    return isinstance(value, SETTINGS)
