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
