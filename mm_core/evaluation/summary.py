"""Case-by-case measures -> means with intervals."""

import math
from collections.abc import Mapping
from typing import Any

from ..types import Float, Tensor

Z95 = 1.96  # of the normal distribution, for 95 %


def summarize(values: Float[Tensor, " cases"]) -> dict[str, Any]:
    """Mean, half width of its 95 % interval and number of cases.

    The half width is Wilson's for yes-or-no cases, since the plain one is 0 where all agree
    (Wilson 1927), and the normal one otherwise.
    """
    n = len(values)
    if n == 0:
        return {"value": None, "interval": None, "n": 0}
    mean = float(values.double().mean())
    if bool(((values == 0) | (values == 1)).all()):
        spread = mean * (1 - mean) / n + Z95**2 / (4 * n**2)
        half = Z95 * math.sqrt(spread) / (1 + Z95**2 / n)
    else:
        half = Z95 * float(values.double().std()) / math.sqrt(n) if n > 1 else float("inf")
    return {"value": round(mean, 4), "interval": round(half, 4) if n > 1 else None, "n": n}


def table(measures: Mapping[str, Tensor]) -> dict[str, dict[str, Any]]:
    """summarize() of every measure."""
    return {name: summarize(values) for name, values in measures.items()}
