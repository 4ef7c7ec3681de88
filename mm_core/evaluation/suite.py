"""What `mmc evaluate` measures: named runs over held-out scenes."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from ..embedded.conditions import Encoded
from ..embedded.defaults import WEIGHTS
from ..embedded.generate import Settings, generate
from ..embedded.model import MODALITIES, EmbeddedModel
from ..guidance.compositions import COMPOSITIONS, DEFAULT
from ..guidance.program import Program
from ..types import Modality, Picture, Tensor
from .cases import encode_case, held_out, null_text
from .frechet import frechet_distance
from .measures import measure, read
from .oracle import Oracle
from .summary import table
from .swapping import swapped_case

Report = Callable[[str], None]
SPATIAL = ("depth", "pose", "segmentation")


@dataclass(frozen=True)
class Run:
    """One row of the table. swapped: every input that can be comes from another scene."""

    section: str
    name: str
    weights: Mapping[str, float]
    composition: str = DEFAULT
    swapped: bool = False


@dataclass
class Suite:
    """Runs over sets of held-out scenes, one set for each seed."""

    model: EmbeddedModel
    oracle: Oracle
    count: int
    seeds: Sequence[int]
    settings: Settings = field(default_factory=Settings)
    report: Report = lambda line: None

    def __post_init__(self) -> None:
        self.cases = [held_out(self.count, seed) for seed in self.seeds]
        self._encoded = [encode_case(self.model, case) for case in self.cases]
        self._null = null_text(self.model)
        self._real = [read(self.oracle, case.picture) for case in self.cases]

    def ceiling(self) -> dict[str, Any]:
        """What the oracle says of the real pictures: nothing generated can be told to be better."""
        return self._of([measure(r, c.truth) for r, c in zip(self._real, self.cases, strict=True)])

    def chance(self) -> dict[str, Any]:
        """Real pictures of other scenes: what a model that ignores its inputs could reach."""
        shifted = [
            measure(_rolled(r), c.truth) for r, c in zip(self._real, self.cases, strict=True)
        ]
        return self._of(shifted)

    def run(self, run: Run) -> dict[str, Any]:
        """Measures of one run, its cost, and the Frechet distance to the real pictures."""
        started = time.perf_counter()
        found, features, rows = [], [], 0.0
        for k, given in enumerate(self.cases):
            case = given
            inputs = self._encoded[k]
            if run.swapped:
                case = swapped_case(case)
                inputs = encode_case(self.model, case)
            pictures, cost = self.pictures(run, inputs, len(case), self.settings.seed + k)
            reading = read(self.oracle, pictures)
            found.append(measure(reading, case.truth))
            features.append(reading.feature)
            rows += cost / len(self.cases)
        real = torch.cat([r.feature for r in self._real])
        result = {
            "section": run.section,
            "name": run.name,
            "composition": run.composition,
            "weights": dict(run.weights),
            "rows_per_evaluation": round(rows, 3),
            "seconds_per_picture": round(
                (time.perf_counter() - started) / (self.count * len(self.cases)), 4
            ),
            "frechet": round(frechet_distance(torch.cat(features), real), 3),
            "measures": self._of(found),
        }
        self.report(_line(result))
        return result

    def pictures(
        self, run: Run, encoded: Mapping[str, Encoded], count: int, seed: int
    ) -> tuple[Picture, float]:
        """count pictures and the rows per evaluation."""
        program = Program(
            tuple(Modality(name, w) for name, w in run.weights.items()), run.composition
        )
        chosen = {name: encoded[name] for name in run.weights}
        settings = Settings(
            steps=self.settings.steps,
            sampler=self.settings.sampler,
            schedule=self.settings.schedule,
            seed=seed,
            batch=count,
        )
        pictures, cost = generate(self.model, program, chosen, self._null, settings)
        return pictures, cost.rows / cost.evaluations

    @staticmethod
    def _of(found: list[dict[str, Tensor]]) -> dict[str, Any]:
        return table({name: torch.cat([f[name] for f in found]) for name in found[0]})


def all_at(weight: float, names: Sequence[str] = MODALITIES) -> dict[str, float]:
    """The same weight for every name."""
    return dict.fromkeys(names, weight)


def main_runs() -> list[Run]:
    """The table that the bars are about."""
    alone = {"text": WEIGHTS["text"] + 1} | {n: 2.0 for n in MODALITIES if n != "text"}
    return [
        Run("main", "all inputs", WEIGHTS),
        Run("main", "all inputs, swapped", WEIGHTS, swapped=True),
        *(Run("main", f"{name} alone", {name: w}) for name, w in alone.items()),
        Run("main", "text and style", {"text": alone["text"], "style": WEIGHTS["style"]}),
        Run("main", "no input", {}),
    ]


def composition_runs() -> list[Run]:
    """Every composition at the default weights, and at equal ones."""
    return [
        Run("compositions", f"{name}, {label}", weights, name)
        for name in COMPOSITIONS
        for label, weights in (("default weights", WEIGHTS), ("all at 2", all_at(2.0)))
    ]


def sweep_runs(levels: Sequence[float] = (0.0, 1.0, 2.0, 3.0)) -> list[Run]:
    """One weight at a time, the others at 1; pose and segmentation without the other maps.

    A map that says the same as another leaves it nothing to add, so those are swept apart.
    """
    runs = []
    for name in MODALITIES:
        rest = [m for m in MODALITIES if m != name and not (name in SPATIAL and m in SPATIAL)]
        for level in levels:
            runs.append(
                Run("sweep", f"{name} {level:g}, others 1", {**all_at(1.0, rest), name: level})
            )
    return runs


def weight_runs() -> list[Run]:
    """A few settings of all six weights, to choose the default from."""
    runs = [Run("weights", f"all at {w:g}", all_at(w)) for w in (1.0, 1.5, 2.0, 2.5)]
    for text in (2.0, 3.0, 4.0):
        for style in (1.5, 2.0, 2.5):
            weights = {**all_at(1.5), "text": text, "style": style, "audio": 2.0}
            runs.append(Run("weights", f"text {text:g}, style {style:g}, others 1.5", weights))
    return runs


SECTIONS: dict[str, Callable[[], list[Run]]] = {
    "main": main_runs,
    "compositions": composition_runs,
    "sweep": sweep_runs,
    "weights": weight_runs,
}


def _rolled(reading: Any) -> Any:
    """The readings of other pictures: shifted by a third of the set, past any style group."""
    step = max(5, len(reading.feature) // 3)

    def roll(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: v.roll(step, 0) for k, v in value.items()}
        return value.roll(step, 0)

    return type(reading)(**{name: roll(value) for name, value in vars(reading).items()})


def _line(result: dict[str, Any]) -> str:
    values = result["measures"].items()
    said = " ".join(f"{name} {m['value']:.3f}" for name, m in values if m["value"] is not None)
    return f"{result['section']}: {result['name']}: {said} | {result['rows_per_evaluation']} rows"
