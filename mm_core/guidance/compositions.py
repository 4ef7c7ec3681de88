"""The published ways to combine several conditions, each as a plan. docs/equations.md numbers them.

D_S is the prediction of the row that sees the set S; J is all modalities, 0 none, w their weights.
Each function takes the modalities that act, in order, with their weights, and gives one modality of
weight w the same thing: classifier-free guidance, D_0 + w (D_J - D_0).
"""

from collections.abc import Callable, Mapping
from itertools import accumulate
from operator import mul

from ..errors import PlanError
from ..types import NULL, Row
from .plan import GuidancePlan, Term

Weights = Mapping[str, float]


def leave_one_out(weights: Weights) -> GuidancePlan:
    """D_J + sum (w_i - 1) (D_J - D_{J without i}). Weights of 1 cost no row.

    What i adds beyond all others is pushed, so nothing that two inputs share is counted twice.
    Source: modality isolation as in LTX-2; equation 2.
    """
    everything = Row.of(weights.keys())
    return _plan(
        everything,
        [Term(everything, Row.of(weights.keys() - {name}), w - 1) for name, w in weights.items()],
    )


def independent(weights: Weights) -> GuidancePlan:
    """D_0 + sum w_i (D_i - D_0): every modality on its own, as if they knew nothing of each other.

    Source: Liu et al. 2022 (Composable Diffusion), arXiv 2206.01714, Eq. 11; equation 3.
    """
    return _plan(NULL, [Term(Row.of([name]), NULL, w) for name, w in weights.items()])


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
    mean = sum(weights.values()) / len(weights)
    return _plan(NULL, [Term(Row.of(weights.keys()), NULL, mean)])


COMPOSITIONS: dict[str, Callable[[Weights], GuidancePlan]] = {
    "leave_one_out": leave_one_out,
    "independent": independent,
    "chained": chained,
    "nested": nested,
    "joint": joint,
}
DEFAULT = "leave_one_out"


def compose(composition: str, weights: Weights) -> GuidancePlan:
    """The plan of a composition by name. Weights of 0 are left out first."""
    if composition not in COMPOSITIONS:
        raise PlanError(
            f"there is no composition {composition!r}; choose from {list(COMPOSITIONS)}"
        )
    return COMPOSITIONS[composition]({name: w for name, w in weights.items() if w != 0})


def _plan(anchor: Row, terms: list[Term]) -> GuidancePlan:
    return GuidancePlan(anchor, tuple(t for t in terms if t.weight != 0))


def _chain(weights: Weights, links: list[float]) -> GuidancePlan:
    names = list(weights)
    prefixes = [Row.of(names[:k]) for k in range(len(names) + 1)]
    pairs = zip(prefixes[1:], prefixes, links, strict=False)
    return _plan(NULL, [Term(plus, minus, w) for plus, minus, w in pairs])
