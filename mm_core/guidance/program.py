"""Modalities over a whole sampling run: which plan holds at which moment."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import torch
import torch.nn.functional as F

from ..errors import PlanError
from ..types import Modality, Moment, Row, Window
from .compositions import DEFAULT, DRAFT, Unit, check, compose, mean
from .corrections import Correction
from .gain import Gain, is_nothing, peak
from .plan import GuidancePlan, Part, of_images

Curve = Callable[[Moment], float]
SUMMED = ("leave_one_out", "independent")  # where what inputs share may be counted twice
BARELY = 1e-6  # a weight on its way through 0 is not one that asks to be ignored


@dataclass(frozen=True)
class Program:
    """What to guide with. push multiplies every weight's distance from 1: 0 is no guidance at all.

    The order of modalities matters to `chained` and `nested` only. overlap: how much of what
    several inputs say alike is discounted, 0 to 1; for `independent` and `leave_one_out`. apart:
    inputs that never share a mixed row of `weighted_negative`.
    """

    modalities: tuple[Modality, ...]
    composition: str = DEFAULT
    push: float = 1.0
    correction: Correction = field(default_factory=Correction)
    overlap: float = 0.0
    apart: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        names = [m.name for m in self.modalities]
        if twice := sorted({n for n in names if names.count(n) > 1}):
            raise PlanError(f"there are two modalities named {twice}; each needs its own name")
        check(self.composition)
        if not math.isfinite(self.push):
            raise PlanError(f"the push is {self.push}; it must be a finite number, for example 1")
        if not 0 <= self.overlap <= 1:
            raise PlanError(f"the overlap is {self.overlap}; it must be between 0 and 1")
        if self.overlap and self.composition not in SUMMED:
            raise PlanError(
                f"overlap is a discount for {' and '.join(SUMMED)}; found {self.composition}: set "
                "overlap to 0, or take one of these"
            )

    def plan_at(self, at: Moment | float, hidden: Collection[str] | None = None) -> GuidancePlan:
        """at: a moment, or its progress. A modality that does not act is not seen.

        hidden: modalities whose source is not there now, as the host knows; None: as `within` says.
        """
        return of_images(
            [Part(images, alone._plan_at(at, hidden)) for images, alone in self._by_image()]
        )

    def _plan_at(self, at: Moment | float, hidden: Collection[str] | None) -> GuidancePlan:
        moment = at if isinstance(at, Moment) else Moment(at)
        members: dict[tuple[str, str], list[Modality]] = {}
        for m in self.modalities:
            there = m.there_at(moment) if hidden is None else m.name not in hidden
            if there and m.wanted_at(moment):
                key = ("group", m.group) if m.group else ("", m.name)
                members.setdefault(key, []).append(m)
        weights = {
            _unit(group): mean(self._gain(m, moment) for m in group) for group in members.values()
        }
        mixed = self._mixed
        fixed = [_unit(g) for g in members.values() if not all(m.name in mixed for m in g)]
        return replace(compose(self.composition, weights, fixed), overlap=self.overlap)

    def _by_image(self) -> list[tuple[tuple[int, ...], "Program"]]:
        """The images of a batch that are guided alike, and the program of each such set: an image
        is guided as if its weights and masks were everybody's."""
        masks = max((len(m.mask) for m in self.modalities if m.mask is not None), default=1)
        images = max([masks, *(len(m.weights) for m in self.modalities)])
        alike: dict[tuple[Any, ...], list[int]] = {}
        for k in range(images):
            weights = tuple(m.weights[k % len(m.weights)] for m in self.modalities)
            alike.setdefault((k % masks, *weights), []).append(k)
        return [(tuple(chosen), self._of_image(chosen[0])) for chosen in alike.values()]

    def _of_image(self, image: int) -> "Program":
        return replace(self, modalities=tuple(_of_image(m, image) for m in self.modalities))

    def edges(self) -> tuple[float, ...]:
        """Where in sampling the plan may change, from 0 up."""
        windows = [w for m in self.modalities for w in (m.window, *m.within)]
        ends = [e for w in windows for e in (w.start, w.end)]
        ends += [e for m in self.modalities for e in getattr(m.schedule, "edges", ())]
        return tuple(sorted({0.0, *(e for e in ends if e < 1)}))

    def rows(self) -> tuple[Row, ...]:
        """The rows that some moment needs, in a fixed order; most runs need but one set.

        Schedules, masks and lists may meet in values at which a plan has other rows: those a host
        must be able to add.
        """
        plain = self._told()
        partly = [m.name for m in self.modalities if m.within != (Window(),)]
        plans = []
        for edge in self.edges():
            gone = {m.name for m in self.modalities if not m.there_at(edge)}
            hidden = (gone, {*gone, *partly}, *({*gone, name} for name in partly))
            plans += [plain.plan_at(edge, names) for names in hidden]
        return tuple(dict.fromkeys(row for plan in plans for row in plan.rows))

    def fitted(self, images: int, rows: int, columns: int) -> "Program":
        """The program for a batch of latents of one size: masks are resized to it.

        Raises PlanError where a list of weights, or of masks, has another length than the batch.
        """
        return replace(
            self, modalities=tuple(_fitted(m, images, rows, columns) for m in self.modalities)
        )

    @property
    def strongest_push(self) -> float:
        """The largest distance of a weight from 1, after push."""
        pushes = [peak(self._pushed(w) - 1) for m in self.modalities for w in m.weights]
        return max(pushes, default=0.0)

    def pushed(self, factor: float) -> "Program":
        """The program with every push multiplied once more, as nodes that override CFG ask.

        draft has no push: its strengths stay. perp_neg tells weights by their sign, so there a push
        below 0 is 0.
        """
        if factor == 1 or self.composition == DRAFT:
            return self
        floor = 0.0 if self.composition == "perp_neg" else -math.inf
        return replace(self, push=max(floor, self.push * factor))

    def averaged(self) -> "Program":
        """The program with one weight for all places and moments, for showing: the mean, and where
        a schedule holds, the weight itself."""
        return replace(self, modalities=tuple(map(_averaged, self.modalities)))

    def _told(self) -> "Program":
        """The program with schedules, masks and lists as numbers of one kind, none alike: its plans
        need the rows that most values of them do."""
        if self.composition == DRAFT:
            return self
        curves = dict.fromkeys(m.schedule for m in self.modalities if m.schedule)
        levels = {c: _level(0.37 + 0.11 * k) for k, c in enumerate(curves)}
        return replace(self, modalities=tuple(_told(m, levels) for m in self.modalities))

    @property
    def _mixed(self) -> set[str]:
        """Who may share a row of strengths: the mix must be the same at every moment, or the row
        would be another at each. draft has no moments, and mixes all."""
        able = [m for m in self.modalities if m.continuous and m.name not in self.apart]
        alike = self.composition == DRAFT or len({m.schedule for m in able}) == 1
        return {m.name for m in able if alike or m.schedule is None}

    def _gain(self, m: Modality, at: Moment) -> Gain:
        """The weight of a modality at a moment: push, schedule and mask scale its distance from
        1."""
        assert isinstance(m.weight, float | int)
        if self.composition == DRAFT:
            return self._pushed(m.weight)
        share = self.push * (m.schedule(at) if m.schedule else 1.0)
        if m.mask is None:
            gain: Gain = 1 + (m.weight - 1) * share if share != 1 else float(m.weight)
            if self.composition == "perp_neg":  # what is to be avoided never becomes wanted
                return m.weight * max(0.0, share) if m.weight < 0 else max(BARELY, gain)
        else:
            gain = 1 + (m.weight - 1) * share * m.mask.float().cpu()
        return gain + BARELY if is_nothing(gain) else gain

    def _pushed(self, weight: float) -> float:
        return 1 + (weight - 1) * self.push


def _unit(group: Sequence[Modality]) -> Unit:
    names = tuple(m.name for m in group)
    return names[0] if len(names) == 1 else names


def _level(value: float) -> Curve:
    return lambda moment: value


def _told(m: Modality, levels: Mapping[Curve, Curve]) -> Modality:
    return replace(
        m,
        mask=None if m.mask is None else torch.full((1, 1, 1), 0.73),
        schedule=levels[m.schedule] if m.schedule else None,
    )


def _of_image(m: Modality, image: int) -> Modality:
    mask = m.mask
    if mask is not None and len(mask) > 1:
        mask = mask[image % len(mask)][None]
    return replace(m, weight=m.weights[image % len(m.weights)], mask=mask)


def _averaged(m: Modality) -> Modality:
    """Under a mask, weights are those in the mean of its places; 0 ignores the input all the
    same."""
    shown = [1.0] if m.mask is None else m.mask.float().mean((1, 2)).tolist()
    count = max(len(shown), len(m.weights))
    pairs = ((m.weights[k % len(m.weights)], shown[k % len(shown)]) for k in range(count))
    weights = tuple(1 + (w - 1) * share if w else 0.0 for w, share in pairs)
    return replace(m, weight=weights if count > 1 else weights[0], mask=None, schedule=None)


def _fitted(m: Modality, images: int, rows: int, columns: int) -> Modality:
    if len(m.weights) not in (1, images):
        raise PlanError(
            f"{m.name} has {len(m.weights)} weights for a batch of {images}; needed one, or one "
            "for each image"
        )
    if m.mask is None:
        return m
    if len(m.mask) not in (1, images):
        raise PlanError(
            f"{m.name} has {len(m.mask)} masks for a batch of {images}; needed one, or one for "
            "each image"
        )
    small = m.mask.shape[-2] >= rows and m.mask.shape[-1] >= columns
    mask = m.mask.float()[:, None]
    if small:
        mask = F.interpolate(mask, (rows, columns), mode="area")
    else:
        mask = F.interpolate(mask, (rows, columns), mode="bilinear", align_corners=False)
    return replace(m, mask=mask[:, 0])


def auto_named(names: Sequence[str]) -> list[str]:
    """Makes repeated names distinct: style, style 2, style 3."""
    out: list[str] = []
    for name in names:
        numbered = (f"{name} {k}" for k in count(2))
        free = (n for n in numbered if n not in out and n not in names)
        out.append(next(free) if name in out else name)
    return out
