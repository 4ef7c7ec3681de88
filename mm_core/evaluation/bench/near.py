"""How much nearer one way's embeddings are than another's, caption by caption."""

from collections.abc import Mapping
from typing import Any

from ...types import Tensor
from .priors_ways import ATTEMPTS
from .tally import by_group


def attempts(near: Mapping[str, Tensor]) -> dict[str, dict[str, Any]]:
    """What two attempts add to the cosine of one, on the same captions, for each way with both."""
    gains = {one: difference(near, one + ATTEMPTS, one) for one in near}
    return {one: gain for one, gain in gains.items() if gain}


def difference(near: Mapping[str, Tensor], way: str, other: str) -> dict[str, Any] | None:
    """How much the cosine is more than the other way's; None where one of them is not there yet,
    or both are the same."""
    if way == other or not {way, other} <= near.keys():
        return None
    return by_group(near[way] - near[other])
