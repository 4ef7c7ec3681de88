"""How far each input pushes and what it tells, from the rows of one evaluation.

Everything comes from one small matrix of inner products, image by image, so that a GPU is asked for
little and is never waited for. docs/equations.md, equations 14 and 15.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..types import Float, Latent, Row, Tensor
from .algebra import perpendicular
from .gain import Gain, spread
from .plan import GuidancePlan, Term


@dataclass(frozen=True)
class Places:
    """Where one term's vectors stand in the matrix.

    whole: its difference of rows. acting: the part of it that counts, which is all of it but for
    terms taken across another. pushed: that part times its gain where the gain varies from place
    to place, else the part itself.
    """

    whole: int
    acting: int
    pushed: int


def subject(term: Term) -> str:
    """Whose push it is: the names whose strength differs between the two rows, joined by +."""
    names = sorted({*term.plus.names, *term.minus.names})
    return "+".join(n for n in names if term.plus.strength(n) != term.minus.strength(n))


def measurable(plan: GuidancePlan, there: Collection[Row]) -> tuple[Term, ...]:
    """The plan's terms, as far as the rows that are there tell.

    Terms of equal weight that meet in a row which cancels, and so was never run, are told as one.
    """
    terms = list(plan.terms)
    for row in [t.minus for t in plan.terms if t.minus not in there]:
        upper = next((t for t in terms if t.minus == row), None)
        lower = next((t for t in terms if t.plus == row), None)
        if upper and lower and _alike(upper, lower):
            terms[terms.index(upper)] = Term(upper.plus, lower.minus, upper.weight)
            terms.remove(lower)
    return tuple(t for t in terms if {t.plus, t.minus, *(t.across or ())} <= set(there))


@torch.no_grad()
def inner_products(
    predictions: Mapping[Row, Latent],
    terms: Sequence[Term],
    fullest: Row,
    x: Latent,
    result: Latent,
) -> tuple[Float[Tensor, "b m m"], tuple[Places, ...]]:
    """Each image's inner products between the terms' vectors, and U, x - D_J and D_J, which are the
    last three: D_J is the prediction of the row `fullest`, and U the total push away from it.

    float32, on the device of the latents, without waiting for it.
    """
    most = predictions[fullest].float()
    vectors: list[Tensor] = []
    places = []
    for term in terms:
        difference = predictions[term.plus].float() - predictions[term.minus].float()
        vectors.append(difference)
        whole = acting = len(vectors) - 1
        if term.across:
            ahead, behind = (predictions[row].float() for row in term.across)
            difference = perpendicular(difference, ahead - behind)
            vectors.append(difference)
            acting = len(vectors) - 1
        pushed = acting
        if _varies_in_place(term.weight):
            vectors.append(spread(term.weight, difference) * difference)
            pushed = len(vectors) - 1
        places.append(Places(whole, acting, pushed))
    vectors += [result.float() - most, x.float() - most, most]
    flat = torch.stack(vectors, 1).flatten(2)
    return torch.bmm(flat, flat.transpose(1, 2)), tuple(places)


def figures(
    products: Sequence[Any] | np.ndarray,
    places: Sequence[Places],
    gains: Sequence[Gain],
    sharper: float | None,
) -> dict[str, Any]:
    """The figures of an evaluation, each the mean of the batch; None where it is no finite number.

    sharper: what half the square of a difference is multiplied by for its information; None at the
    end, where the next look has no noise.

    push: length of gain * difference. share: of the sum of those lengths. information: nats.
    cosines: between what the terms add. relative_push: |U| / |x - D_J|. parallel: the cosine of U
    and D_J.
    """
    gram = np.asarray(products, np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        length = np.sqrt(np.diagonal(gram, axis1=1, axis2=2).clip(min=0))
        cosine = _ratio(gram, length[:, :, None] * length[:, None, :])
        sizes = [_each_image(g) for g in gains]
        pushes = np.stack([s * length[:, p.pushed] for s, p in zip(sizes, places, strict=True)], 1)
        shares = _ratio(pushes, pushes.sum(1, keepdims=True))
        told = [0.5 * length[:, p.whole] ** 2 * (sharper or 0) for p in places]
        relative = _ratio(length[:, -3], length[:, -2])
    acting = [p.acting for p in places]
    return {
        "push": _means(pushes.T),
        "share": _means(shares.T),
        "information": [None] * len(places) if sharper is None else _means(told),
        "cosines": [
            [1.0 if i == j else _mean(cosine[:, i, j]) for j in acting] for i in acting
        ],
        "relative_push": _mean(relative),
        "parallel": _mean(cosine[:, -3, -1]),
    }  # fmt: skip


def _alike(a: Term, b: Term) -> bool:
    if a.across or b.across:
        return False
    if isinstance(a.weight, Tensor) and isinstance(b.weight, Tensor):
        return torch.equal(a.weight, b.weight)
    numbers = isinstance(a.weight, float | int) and isinstance(b.weight, float | int)
    return numbers and bool(np.isclose(float(a.weight), float(b.weight)))


def _varies_in_place(gain: Gain) -> bool:
    return isinstance(gain, Tensor) and gain[0].numel() > 1


def _each_image(gain: Gain) -> np.ndarray:
    """The absolute gain of each image; 1 where the vectors hold it already."""
    if not isinstance(gain, Tensor):
        return np.array([abs(gain)])
    return np.ones(1) if _varies_in_place(gain) else gain.abs().flatten().double().numpy()


def _ratio(over: np.ndarray, under: np.ndarray) -> np.ndarray:
    """0 where there is nothing to divide by."""
    return np.where(under == 0, 0.0, over / np.where(under == 0, 1.0, under))


def _means(images: Sequence[np.ndarray] | np.ndarray) -> list[float | None]:
    return [_mean(values) for values in images]


def _mean(values: np.ndarray) -> float | None:
    mean = float(values.mean())
    return float(f"{mean:.6g}") if np.isfinite(mean) else None
