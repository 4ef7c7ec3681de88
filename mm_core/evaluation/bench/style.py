"""Style against text on the embedded model: a guidance weight for each input, beside one CFG for
both and a strength of the adapter.

Words and style picture are of different scenes, so neither can leak into the measure of the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ...embedded.conditions import Encoded
from ...embedded.defaults import WEIGHTS
from ...embedded.generate import Settings
from ...embedded.model import EmbeddedModel
from ...guidance.algebra import combine
from ...guidance.plan import GuidancePlan, Term
from ...guidance.program import Program
from ...types import NULL, Latent, Modality, Moment, Row
from ..cases import Case, encode_case, held_out, null_text
from ..frechet import frechet_distance
from ..measures import read
from ..oracle import Oracle
from ..swapping import swapped_case
from .baselines import Predict
from .embedded import Batch
from .equal_text import lead
from .methods import Guide
from .tally import NAMES, PALETTE, Tally, everything, interval, resamples, text_and_style

SET = 16  # scenes that are made together; words and style are swapped among them
SEED = 980_000  # of the first set; settings were chosen on others
TEXT = WEIGHTS["text"]


@dataclass(frozen=True)
class Point:
    """One setting of one way. weight: what is swept, the style's guidance weight or, with one CFG,
    the strength of the adapter. text: the text's guidance weight, or the CFG."""

    way: str
    text: float
    weight: float
    plan: GuidancePlan

    @property
    def curve(self) -> str:
        """The points of one curve differ by the swept weight alone."""
        return f"{self.way}, {'CFG' if self.way == ONE_CFG else 'text'} {self.text:g}"

    def guide(self) -> Guide:
        """The plan at every step, all rows run."""

        def guided(x: Latent, at: Moment, following: float, predict: Predict) -> Latent:
            return combine(predict(self.plan.rows), self.plan)

        return guided


ONE_CFG = "one CFG"


def two_weights(text: float, style: float, composition: str = "leave_one_out") -> Point:
    """Ours: text and style at a guidance weight each."""
    program = Program((Modality("text", text), Modality("style", style)), composition)
    return Point(composition, text, style, program.plan_at(0.0))


def one_cfg(cfg: float, strength: float) -> Point:
    """The incumbent: D_0 + cfg (D_J - D_0), the style's attention times strength in J.

    An adapter at work in the positive row, and neither words nor style in the negative one, as a
    sampler with one CFG runs it. Source: Ye et al. 2023 (IP-Adapter), arXiv 2308.06721, Eq. 8.
    """
    both = Row.of({"text": 1.0, "style": strength})
    return Point(ONE_CFG, cfg, strength, GuidancePlan(NULL, (Term(both, NULL, cfg),)))


POINTS = (
    *(two_weights(TEXT, w) for w in (0.0, 1.0, 2.5, 4.0)),
    *(two_weights(2.0, w) for w in (2.5, 4.0)),
    *(two_weights(1.0, w) for w in (1.0, 2.5, 4.0)),
    *(one_cfg(1.0, s) for s in (0.5, 1.0, 1.5)),
    *(one_cfg(2.0, s) for s in (0.5, 1.0, 1.5)),
    *(one_cfg(3.0, s) for s in (0.5, 0.75, 1.0, 1.5, 2.0)),
    *(one_cfg(5.0, s) for s in (0.5, 1.0)),
)


def sets(model: EmbeddedModel, scenes: int, steps: int) -> list[tuple[Case, Batch]]:
    """Sets of held-out scenes with swapped words and styles, each with its own noise."""
    out = []
    for k in range(scenes // SET):
        case = swapped_case(held_out(SET, SEED + 1000 * k))
        encoded: dict[str, Encoded] = encode_case(model, case, ("text", "style"))
        settings = Settings(steps=steps, seed=k, batch=SET)
        out.append((case, Batch(model, encoded, null_text(model), settings)))
    return out


def compare(
    model: EmbeddedModel,
    oracle: Oracle,
    scenes: int,
    steps: int,
    points: Sequence[Point] = POINTS,
    on_step: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Text and style adherence of each point, distance to real pictures, and what ours leads by."""
    given = sets(model, scenes, steps)
    real = torch.cat([read(oracle, case.picture).feature for case, _ in given])
    found = []
    for point in points:
        tallies, features, rows = [], [], 0.0
        for case, batch in given:
            picture, rows, _ = batch.sample(point.guide())
            reading = read(oracle, picture)
            tallies.append(Tally.of(reading, case.truth))
            features.append(reading.feature)
            on_step()
        distance = frechet_distance(torch.cat(features), real)
        found.append(Measured(point, Tally.joined(tallies), rows, distance))
    return {
        "scenes": scenes,
        "groups": len(found[0].tally.total),
        "steps": steps,
        "points": [_figures(one) | leads(one, found) for one in found],
    }


@dataclass(frozen=True)
class Measured:
    """A point and what was found of it."""

    point: Point
    tally: Tally
    rows: float
    frechet: float


def _figures(one: Measured) -> dict[str, Any]:
    groups = len(one.tally.total)
    means, drawn = (one.tally.means(f(groups)) for f in (everything, resamples))
    text, style = (float(v) for v in text_and_style(means))
    text_ends, style_ends = (interval(v) for v in text_and_style(drawn))
    return {
        "curve": one.point.curve,
        "way": one.point.way,
        "text_weight": one.point.text,
        "weight": one.point.weight,
        "rows": one.rows,
        **{name: float(v) for name, v in zip(NAMES, means[0], strict=True)},
        "palette_interval": interval(drawn[:, NAMES.index(PALETTE)]),
        "text": text,
        "text_interval": text_ends,
        "style": style,
        "style_interval": style_ends,
        "frechet": one.frechet,
    }


def leads(one: Measured, found: Sequence[Measured]) -> dict[str, Any]:
    """Of a point of ours, style beyond what one CFG reaches at equal text: when the CFG is the same
    number as the text's weight, if that was tried, and when it is the best of all.

    Nothing for points without style or of one CFG, or where nobody tried one CFG.
    """
    others: dict[float, list[Tally]] = {}
    for m in found:
        if m.point.way == ONE_CFG:
            others.setdefault(m.point.text, []).append(m.tally)
    if one.point.way == ONE_CFG or not one.point.weight or not others:
        return {}
    same = others.get(one.point.text)
    return {
        "lead_same": lead(one.tally, [same]) if same else None,
        "lead_best": lead(one.tally, list(others.values())),
    }
