"""The published ways to combine several conditions, each as a plan. docs/equations.md numbers them.

D_S is the prediction of the row that sees the set S; J is all modalities, 0 none, w their weights.
Each function takes the units that act, in order, with their weights: a unit is a modality, or a
group of them that is kept or dropped together. One unit of weight w is the same in all of them:
classifier-free guidance, D_0 + w (D_J - D_0).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import reduce
from itertools import accumulate
from operator import add, mul

from ..errors import PlanError
from ..types import NULL, Row, Tensor
from .gain import Gain, is_nothing
from .plan import GuidancePlan, Term

Unit = str | tuple[str, ...]
Weights = Mapping[Unit, Gain]


def leave_one_out(weights: Weights) -> GuidancePlan:
    """D_J + sum (w_i - 1) (D_J - D_{J without i}). Weights of 1 cost no row.

    What i adds beyond all others is pushed, so nothing that two inputs share is counted twice.
    Source: modality isolation as in LTX-2; equation 2.
    """
    everything = _row(weights)
    terms = [
        Term(everything, _row(u for u in weights if u != k), w - 1) for k, w in weights.items()
    ]
    return _plan(everything, terms)


def independent(weights: Weights) -> GuidancePlan:
    """D_0 + sum w_i (D_i - D_0): every modality on its own, as if they knew nothing of each other.

    Source: Liu et al. 2022 (Composable Diffusion), arXiv 2206.01714, Eq. 11; equation 3.
    """
    return _plan(NULL, [Term(_row([unit]), NULL, w) for unit, w in weights.items()])


def chained(weights: Weights) -> GuidancePlan:
    """D_0 + sum w_k (D_{1..k} - D_{1..k-1}): each modality given those before it.

    With equal weights this is `joint`, and runs its two rows.
    Source: Brooks et al. 2023 (InstructPix2Pix), arXiv 2211.09800, Eq. 3; equation 4.
    """
    return _chain(weights, list(weights.values()))


def nested(weights: Weights) -> GuidancePlan:
    """The chain with each weight multiplied by those before it: the first scales all the rest.

    Source: nested dual guidance of ComfyUI's DualCFGGuider, for any number; equation 5.
    """
    return _chain(weights, list(accumulate(weights.values(), mul)))


def joint(weights: Weights) -> GuidancePlan:
    """D_0 + w (D_J - D_0) with w the mean weight: two rows, one knob.

    Source: Ho and Salimans 2022, arXiv 2207.12598, Eq. 6; equation 6.
    """
    if not weights:
        return GuidancePlan(NULL)
    return _plan(NULL, [Term(_row(weights), NULL, mean(weights.values()))])


def weighted_negative(weights: Weights, fixed: Collection[Unit] = ()) -> GuidancePlan:
    """D_J + k (D_J - D_s): one extra row, in which i has the strength s_i = 1 - (w_i - 1) / k and k
    is the w_i - 1 that is farthest from 0.

    One weight other than 1 makes it `leave_one_out`, equal weights `joint`; in between it is
    leave_one_out to first order. Units in `fixed`, those without strengths between 0 and 1, and
    those whose weight differs from place to place or image to image get a row of their own.
    Equation 9.
    """
    everything = _row(weights)
    mixed = {u: w for u, w in weights.items() if u not in fixed and isinstance(w, float | int)}
    apart = leave_one_out(weights).terms
    alone = [t for t, u in zip(apart, _pushed(weights), strict=True) if u not in mixed]
    most = max((w - 1 for w in mixed.values()), key=abs, default=0.0)
    if is_nothing(most):
        return _plan(everything, alone)
    strengths = dict.fromkeys(everything.names, 1.0)
    for unit, w in mixed.items():
        # Rounded, so that the same mix is the same row whatever all weights are multiplied by.
        strengths |= dict.fromkeys(_names(unit), round(1 - (w - 1) / most, 9))
    return _plan(everything, [Term(everything, Row.of(strengths), most), *alone])


def perp_neg(weights: Weights) -> GuidancePlan:
    """D_0 + w (D_+ - D_0) + sum w_n P(D_n - D_0): units of negative weight push away only across
    the direction in which the others push.

    D_+ sees all units of positive weight, w is their mean, w_n < 0, and P takes what is
    perpendicular to D_+ - D_0, in each image.
    Source: Armandpour et al. 2023 (Perp-Neg), arXiv 2304.04968, Eq. 10; equation 10.
    """
    numbers = {u: w for u, w in weights.items() if isinstance(w, float | int)}
    if varying := sorted(str(u) for u in weights.keys() - numbers.keys()):
        raise PlanError(
            f"perp_neg needs one weight for all images and places; {varying} vary: take "
            "leave_one_out for those"
        )
    wanted = {u: w for u, w in numbers.items() if w > 0}
    if not wanted:
        raise PlanError("perp_neg needs an input of positive weight to push across; found none")
    ahead = (_row(wanted), NULL)
    terms = [Term(*ahead, mean(wanted.values()))]
    terms += [Term(_row([u]), NULL, w, across=ahead) for u, w in numbers.items() if w < 0]
    return _plan(NULL, terms)


def strengths(weights: Weights, fixed: Collection[Unit] = ()) -> GuidancePlan:
    """The single row in which each modality has its weight as its strength: no guidance, no extra
    row, and the more distorted the farther weights are from 1. Weights that vary count as their
    mean, and units in `fixed` are seen as they are."""
    table: dict[str, float] = {}
    for unit, w in weights.items():
        value = float(w.mean()) if isinstance(w, Tensor) else w
        table |= dict.fromkeys(_names(unit), 1.0 if unit in fixed else value)
    return GuidancePlan(Row.of(table))


def set_pair(plus: Collection[str], minus: Collection[str], weight: Gain) -> GuidancePlan:
    """D_P + w (D_P - D_M) for any two sets: what P has beyond M is pushed, what M has beyond P is
    pushed away, and what both have is left as it is. Equation 11.

    Source: Huang et al. 2023 (Composer), arXiv 2302.09778, section 2.2.
    """
    return _plan(Row.of(plus), [Term(Row.of(plus), Row.of(minus), weight)])


COMPOSITIONS: dict[str, Callable[[Weights], GuidancePlan]] = {
    "leave_one_out": leave_one_out,
    "independent": independent,
    "chained": chained,
    "nested": nested,
    "joint": joint,
    "weighted_negative": weighted_negative,
    "perp_neg": perp_neg,
}
DEFAULT, DRAFT = "leave_one_out", "strengths"


def compose(composition: str, weights: Weights, fixed: Collection[Unit] = ()) -> GuidancePlan:
    """The plan of a composition by name. Weights of 0 are left out first.

    fixed: units that have no strengths between 0 and 1.
    """
    check(composition)
    acting = {unit: w for unit, w in weights.items() if not is_nothing(w)}
    if composition == "weighted_negative":
        return weighted_negative(acting, fixed)
    if composition == "perp_neg" and not acting:
        return GuidancePlan(NULL)
    if composition == DRAFT:
        return strengths(acting, fixed)
    return COMPOSITIONS[composition](acting)


def check(composition: str) -> None:
    """PlanError with the list, for a composition that there is not."""
    if composition not in (*COMPOSITIONS, DRAFT):
        raise PlanError(
            f"there is no composition {composition!r}; choose from {list(COMPOSITIONS)}"
        )


def mean(gains: Iterable[Gain]) -> Gain:
    """The mean of at least one gain."""
    given = list(gains)
    return reduce(add, given) / len(given)


def _names(unit: Unit) -> tuple[str, ...]:
    return (unit,) if isinstance(unit, str) else unit


def _row(units: Iterable[Unit]) -> Row:
    return Row.of([name for unit in units for name in _names(unit)])


def _pushed(weights: Weights) -> list[Unit]:
    """The units that leave_one_out makes a term for."""
    return [u for u, w in weights.items() if not is_nothing(w - 1)]


def _plan(anchor: Row, terms: list[Term]) -> GuidancePlan:
    return GuidancePlan(anchor, tuple(t for t in terms if not is_nothing(t.weight)))


def _chain(weights: Weights, links: list[Gain]) -> GuidancePlan:
    units = list(weights)
    prefixes = [_row(units[:k]) for k in range(len(units) + 1)]
    pairs = zip(prefixes[1:], prefixes, links, strict=False)
    return _plan(NULL, [Term(plus, minus, w) for plus, minus, w in pairs])
