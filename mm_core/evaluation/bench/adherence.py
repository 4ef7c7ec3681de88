"""Differences in adherence between two methods on the same scenes, with intervals."""

from collections.abc import Mapping, Sequence

import torch

from ...types import Float, Tensor
from ..measures import BETTER

Measured = Mapping[str, Tensor]
"""What measures.measure() gives for one group of scenes: a number for each case."""
RESAMPLES = 2000


def adherence(groups: Sequence[Measured]) -> float:
    """Mean over the measures of their means over all cases, in points of 100; more is better."""
    return float(_points(_sums(groups), torch.arange(len(groups))[None])[0])


def difference(groups: Sequence[Measured], other: Sequence[Measured]) -> tuple[float, float]:
    """How many points the first has more, and half of the 95 % interval of that.

    The interval is a bootstrap over groups of scenes, which both methods share.
    Source: Efron and Tibshirani 1993, An introduction to the bootstrap, chapter 13.
    """
    rng = torch.Generator().manual_seed(0)
    drawn = torch.randint(len(groups), (RESAMPLES, len(groups)), generator=rng)
    ours, theirs = _sums(groups), _sums(other)
    apart = (_points(ours, drawn) - _points(theirs, drawn)).sort().values
    low, high = apart[int(0.025 * RESAMPLES)], apart[int(0.975 * RESAMPLES)]
    return adherence(groups) - adherence(other), float(high - low) / 2


def _sums(groups: Sequence[Measured]) -> tuple[Float[Tensor, "g m"], Float[Tensor, "g m"]]:
    """Sum and number of cases of each measure in each group, all turned so that more is better."""
    names = list(groups[0])
    total = [[float(_turned(n, g[n]).double().sum()) for n in names] for g in groups]
    count = [[float(len(g[n])) for n in names] for g in groups]
    return torch.tensor(total, dtype=torch.float64), torch.tensor(count, dtype=torch.float64)


def _turned(name: str, values: Tensor) -> Tensor:
    return 1 - values if BETTER.get(name) == "lower" else values


def _points(
    sums: tuple[Float[Tensor, "g m"], Float[Tensor, "g m"]], drawn: Tensor
) -> Float[Tensor, " r"]:
    total, count = (part[drawn].sum(1) for part in sums)
    there = count > 0
    means = torch.where(there, total / count.clamp(min=1), torch.zeros(()))
    return 100 * means.sum(1) / there.sum(1)
