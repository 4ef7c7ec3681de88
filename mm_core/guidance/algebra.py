"""Adds up row predictions. One function, because every composition is the same sum."""

from collections.abc import Mapping, Sequence

import torch

from ..numerics import sample_dot
from ..types import Latent, Row, Tensor
from .gain import peak, spread
from .overlap import discounts
from .plan import GuidancePlan, Part


def combine(predictions: Mapping[Row, Latent], plan: GuidancePlan) -> Latent:
    """The guided prediction: the sum of coefficient * prediction over the plan's rows.

    Predictions are all denoised latents (x0), all velocities or all noise, and so is the result:
    the coefficients sum to 1, so converting between these before or after makes no difference.
    A plan of one row returns that prediction itself, bit for bit. Images that have plans of their
    own are added up by these.
    """
    chosen = plan.select(predictions)
    if plan.parts:
        return together([combine(only(chosen, p), p.plan) for p in plan.parts], plan)
    coefficients = plan.coefficients
    # The anchor plus coefficient * (row - anchor): large weights then act on small differences,
    # which keeps rounding errors small.
    base = max(coefficients, key=lambda row: peak(coefficients[row]))
    total = chosen[base]
    for row, coefficient in coefficients.items():
        if row != base:
            total = total + spread(coefficient, total) * (chosen[row] - chosen[base])
    for term, keep in zip(plan.discounted, _kept(chosen, plan), strict=False):
        less = spread(term.weight, total) * (keep - 1)
        total = total + less.to(total.dtype) * (chosen[term.plus] - chosen[term.minus])
    for term in plan.across:
        assert term.across is not None
        push = chosen[term.plus] - chosen[term.minus]
        along = chosen[term.across[0]] - chosen[term.across[1]]
        total = total + spread(term.weight, total) * perpendicular(push, along)
    return total


def only(predictions: Mapping[Row, Latent], part: Part) -> dict[Row, Tensor]:
    """The rows of a part of the batch, for its images alone."""
    images = list(part.images)
    return {row: predictions[row][images] for row in part.plan.rows}


def together(results: Sequence[Tensor], plan: GuidancePlan) -> Tensor:
    """What was made for each part of a plan, as one batch in the order of its images."""
    out = torch.empty_like(torch.cat(list(results)))
    for part, result in zip(plan.parts, results, strict=True):
        out[list(part.images)] = result
    return out


def _kept(predictions: Mapping[Row, Latent], plan: GuidancePlan) -> list[Tensor]:
    """What share of each discounted term stays, shaped to multiply a latent."""
    if not plan.discounted:
        return []
    pushes = [predictions[t.plus] - predictions[t.minus] for t in plan.discounted]
    shares = 1 + plan.overlap * (discounts(pushes) - 1)
    return [s.view(-1, *[1] * (pushes[0].ndim - 1)) for s in shares.unbind(1)]


def perpendicular(push: Latent, along: Latent) -> Latent:
    """What of push is perpendicular to along, sample by sample. Along nothing, all of it.

    Source: Armandpour et al. 2023 (Perp-Neg), arXiv 2304.04968, Eq. 9; per sample, where others
    project the whole batch at once and so let its images see each other.
    """
    share = sample_dot(push, along) / sample_dot(along, along).clamp(min=1e-12)
    return push - share.to(push.dtype) * along


def effective_pair(
    predictions: Mapping[Row, Latent], plan: GuidancePlan, result: Latent
) -> tuple[Latent, Latent, float]:
    """cond, uncond and scale with uncond + scale * (cond - uncond) == result, for two-row hooks.

    cond is the row that sees most, and scale one more than the plan's largest single weight, so
    that a hook made for classifier-free guidance sees a pair like the one it expects. Of images
    that have plans of their own, cond is their own. docs/equations.md, equation 7.
    """
    if plan.parts:
        cond = together([only(predictions, p)[p.plan.fullest] for p in plan.parts], plan)
    else:
        cond = predictions[plan.fullest]
    push = plan.strongest or 1.0
    return cond, cond - (result - cond) / push, 1.0 + push
