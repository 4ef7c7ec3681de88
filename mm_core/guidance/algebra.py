"""Adds up row predictions. One function, because every composition is the same sum."""

from collections.abc import Mapping

from ..types import Latent, Row
from .plan import GuidancePlan


def combine(predictions: Mapping[Row, Latent], plan: GuidancePlan) -> Latent:
    """The guided prediction: the sum of coefficient * prediction over the plan's rows.

    Predictions are all denoised latents (x0), all velocities or all noise, and so is the result:
    the coefficients sum to 1, so converting between these before or after makes no difference.
    A plan of one row returns that prediction itself, bit for bit.
    """
    chosen = plan.select(predictions)
    coefficients = plan.coefficients
    if list(coefficients.values()) == [1.0]:
        return next(iter(chosen.values()))
    # The anchor plus coefficient * (row - anchor): large weights then act on small differences,
    # which keeps rounding errors small.
    base = max(coefficients, key=lambda row: abs(coefficients[row]))
    total = chosen[base]
    for row, prediction in chosen.items():
        if row != base:
            total = total + coefficients[row] * (prediction - chosen[base])
    return total


def effective_pair(
    predictions: Mapping[Row, Latent], plan: GuidancePlan, result: Latent
) -> tuple[Latent, Latent, float]:
    """cond, uncond and scale with uncond + scale * (cond - uncond) == result, for two-row hooks.

    cond is the row that sees most, and scale one more than the plan's largest single weight, so
    that a hook made for classifier-free guidance sees a pair like the one it expects.
    docs/equations.md, equation 7.
    """
    cond = predictions[max(plan.rows, key=lambda row: len(row.names))]
    push = max((abs(term.weight) for term in plan.terms), default=0.0) or 1.0
    return cond, cond - (result - cond) / push, 1.0 + push
