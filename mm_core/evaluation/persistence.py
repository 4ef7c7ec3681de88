"""How much what a row differs by changes from step to step, and in which units it changes least.

The planner keeps such differences: it saves rows just as far as they last.
"""

import statistics
from collections.abc import Mapping, Sequence

from ..guidance.planner import FARTHEST, SPACES
from ..types import Latent, Row

Trace = Sequence[tuple[float, Mapping[Row, Latent]]]
"""Of each evaluation, the ratio of noise to signal and the prediction of every row."""


def persistence(trace: Trace, reference: Row, space: str, gap: int = 1) -> dict[Row, float]:
    """|d(b) - d(a)| / |d(b)| for every row but the reference: the mean of images, then the median
    of steps, as the last step of a run goes to almost no noise at once.

    d is the reference minus the row, in the units of a space; b comes gap evaluations after a.
    0 is a difference that lasts. A keeper of rows that is off by 1 might as well guide by nothing.
    """
    scale = SPACES[space]
    found: dict[Row, list[float]] = {}
    for (early, before), (late, after) in zip(trace, trace[gap:], strict=False):
        for row in (row for row in after if row != reference):
            then = (before[reference] - before[row]) / scale(min(early, FARTHEST))
            now = (after[reference] - after[row]) / scale(min(late, FARTHEST))
            size = now.flatten(1).norm(dim=1).clamp(min=1e-12)
            share = (now - then).flatten(1).norm(dim=1) / size
            found.setdefault(row, []).append(float(share.mean()))
    return {row: statistics.median(shares) for row, shares in found.items()}
