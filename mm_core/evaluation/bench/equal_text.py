"""Style adherence at equal text adherence: one setting against the curves of another way."""

from collections.abc import Sequence

import torch

from ...types import Float, Int, Tensor
from .tally import Tally, everything, interval, resamples, text_and_style

Curve = Sequence[Tally]
"""The points of one curve, in the order of the weight that is swept."""


def lead(point: Tally, curves: Sequence[Curve]) -> tuple[float, tuple[float, float]]:
    """How many points more style the point has than the best that any of the curves reaches with
    no less text adherence, and the 95 % interval: the bootstrap looks for that best in every draw.
    """
    groups = len(point.total)
    value = _leads(point, curves, everything(groups))
    return float(value[0]), interval(_leads(point, curves, resamples(groups)))


def reached(
    text: Float[Tensor, "p r"], style: Float[Tensor, "p r"], level: Float[Tensor, " r"]
) -> Float[Tensor, " r"]:
    """The highest style on straight lines through the points where text is at least level.

    A curve that stays below level everywhere gives the style where its text is highest.
    """
    at_points = style.where(text >= level, -torch.inf)
    early, late = text[:-1], text[1:]
    share = (level - early) / torch.where(early == late, 1.0, late - early)
    crossing = style[:-1] + share * (style[1:] - style[:-1])
    crosses = (early - level) * (late - level) < 0
    best = torch.cat([at_points, crossing.where(crosses, -torch.inf)]).max(0).values
    nearest = style.gather(0, text.argmax(0)[None])[0]
    return best.where(best > -torch.inf, nearest)


def _leads(point: Tally, curves: Sequence[Curve], drawn: Int[Tensor, "r g"]) -> Float[Tensor, " r"]:
    level, style = text_and_style(point.means(drawn))
    best = []
    for curve in curves:
        pairs = [text_and_style(tally.means(drawn)) for tally in curve]
        texts, styles = (torch.stack(part) for part in zip(*pairs, strict=True))
        best.append(reached(texts, styles, level))
    return style - torch.stack(best).max(0).values
