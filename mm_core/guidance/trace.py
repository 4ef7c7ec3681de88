"""What each evaluation of one run showed, from rows that were run anyway."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from ..types import Latent, Moment, Row, Tensor
from .gain import Gain
from .measure import Places, figures, inner_products
from .plan import GuidancePlan
from .told import of_batch

OVERSHOOTING = 0.5  # relative push beyond which colours burn
CONTRADICTING = -0.3  # cosine below which two inputs work against each other


@dataclass(frozen=True)
class _Seen:
    """An evaluation whose figures may still be on their way.

    plain: what is known without them. ready: None where nothing needs to be waited for.
    """

    plain: dict[str, Any]
    subjects: tuple[str, ...] = ()
    stale: tuple[bool, ...] = ()
    products: Tensor | None = None
    places: tuple[Places, ...] = ()
    gains: tuple[Gain, ...] = ()
    sharper: float | None = None
    ready: torch.cuda.Event | None = None


class Trace:
    """State of one run. Use a new one for each.

    Between evaluations it holds no latents, but for each step a few numbers on their device, which
    are read when they are asked for.
    """

    def __init__(self) -> None:
        self._done: list[dict[str, Any]] = []
        self._waiting: list[_Seen] = []
        self._told_down_to = math.inf

    def see(
        self,
        moment: Moment,
        following: float,
        plan: GuidancePlan,
        predictions: Mapping[Row, Latent],
        fresh: Collection[Row],
        x: Latent,
        result: Latent,
    ) -> None:
        """Takes in one evaluation. It waits for no GPU.

        following: ratio of noise to signal at the next step, 0 at the end. predictions: denoised
        latents of all rows of the plan. fresh: those that were run. x: the noisy latent. result:
        the denoised latent that the sampler is given.
        """
        # Samplers that look twice at a stretch of noise are told of it once.
        begin = min(moment.noise, self._told_down_to)
        sharper = _sharper(moment.noise, begin, following) if following > 0 else None
        self._told_down_to = min(self._told_down_to, following)
        plain = {
            "progress": moment.progress,
            "noise": moment.noise if math.isfinite(moment.noise) else None,
            "fresh": [str(row) for row in fresh],
            "kept": [str(row) for row in predictions if row not in fresh],
        }
        told = of_batch(plan, predictions, fresh)
        if not told.terms:
            self._waiting.append(_Seen(plain))
            return
        products, places = inner_products(told.rows, told.terms, told.fullest, x, result)
        ready = None
        if products.is_cuda:
            ready = torch.cuda.Event()
            ready.record(torch.cuda.current_stream(products.device))
        self._waiting.append(
            _Seen(
                plain,
                told.subjects,
                told.stale,
                products,
                places,
                tuple(t.weight for t in told.terms),
                sharper,
                ready,
            )
        )

    def steps(self) -> tuple[dict[str, Any], ...]:
        """Every evaluation so far, for JSON; waits for the device.

        terms: for each subject push, share, information in nats, and whether it is stale: whether
        one of its rows was kept. noise: None at the start of a flow, where it is infinite.
        """
        self._read(len(self._waiting))
        return tuple(self._done)

    def latest(self) -> dict[str, Any] | None:
        """The newest evaluation that the device has finished; waits for nothing."""
        behind = [not (s.ready is None or s.ready.query()) for s in self._waiting]
        self._read(behind.index(True) if True in behind else len(behind))
        return self._done[-1] if self._done else None

    def forget(self) -> None:
        """Lets go of all tensors. The figures stay, but for those that a broken device holds."""
        try:
            self._read(len(self._waiting))
        except RuntimeError:
            self._waiting.clear()

    def _read(self, count: int) -> None:
        for seen in self._waiting[:count]:
            if seen.ready is not None:
                seen.ready.synchronize()
            self._done.append(_step(seen))
            self._waiting.pop(0)


def _sharper(noise: float, begin: float, end: float) -> float:
    """What |V|^2 / 2 is multiplied by in equation 15: V is seen at noise, and counts from begin to
    end. Infinite where end can hardly be told from 0."""
    at, first, last = (1 / n / n if n else math.inf for n in (noise, begin, end))
    return (1 + at) * math.log((1 + last) / (1 + first)) if last > first else 0.0


def _step(seen: _Seen) -> dict[str, Any]:
    found: dict[str, Any] = {"cosines": [], "relative_push": 0.0, "parallel": 0.0}
    terms: list[dict[str, Any]] = []
    if seen.products is not None:
        found = figures(_numbers(seen.products), seen.places, seen.gains, seen.sharper)
        each = zip(
            seen.subjects, found.pop("push"), found.pop("share"), found.pop("information"),
            seen.stale, strict=True,
        )  # fmt: skip
        keys = ("subject", "push", "share", "information", "stale")
        terms = [dict(zip(keys, values, strict=True)) for values in each]
    return {**seen.plain, "terms": terms, **found}


def _numbers(products: Tensor) -> list[Any]:
    if not products.is_cuda:
        return products.tolist()
    # A stream of its own: on the current one this would wait for the step that is under way.
    with torch.cuda.stream(torch.cuda.Stream(products.device)):
        return products.tolist()
