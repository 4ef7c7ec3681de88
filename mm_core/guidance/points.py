"""A schedule's points as people write them: "0:1, 0.5:0.2, 1:0"."""

import math
import re

from ..errors import InputError

HIGHEST = 10.0
EXAMPLE = "0:1, 0.5:0.2, 1:0"


def parse_points(text: str) -> tuple[tuple[float, float], ...]:
    """(progress, value) pairs, separated by commas, semicolons or lines.

    InputError names the pair that is none, or that lies before its neighbour or outside sampling.
    """
    parts = [part.strip() for part in re.split(r"[,;\n]", text) if part.strip()]
    if not parts:
        raise InputError(f"points: found none; write progress:value pairs such as {EXAMPLE}")
    points = tuple(_pair(part) for part in parts)
    for part, (at, _) in zip(parts, points, strict=True):
        if not 0 <= at <= 1:
            raise InputError(
                f"points: {part!r} lies at {at:g}; progress runs from 0 (pure noise) to 1 (the "
                f"finished picture), as in {EXAMPLE}"
            )
    for k in range(1, len(points)):
        if points[k][0] <= points[k - 1][0]:
            raise InputError(
                f"points: {parts[k]!r} does not lie behind {parts[k - 1]!r}; write them from 0 up, "
                "each progress once"
            )
    return points


def _pair(part: str) -> tuple[float, float]:
    at, colon, value = part.partition(":")
    try:
        pair = float(at), float(value)
    except ValueError:
        colon, pair = "", (0.0, 0.0)
    if not colon or not all(map(math.isfinite, pair)):
        raise InputError(
            f"points: {part[:40]!r} is no pair of finite numbers; write progress:value, as in "
            f"{EXAMPLE}"
        )
    if colon and abs(pair[1]) > HIGHEST:
        raise InputError(
            f"points: {part[:40]!r} goes to {pair[1]:g}; values are -{HIGHEST:g} to {HIGHEST:g}, 1 "
            "is the weight as set"
        )
    return pair
