"""What a program runs, in words and numbers."""

from dataclasses import dataclass, replace
from typing import Any

from ..types import Tensor
from .gain import Gain
from .planner import Planner
from .program import Program


@dataclass(frozen=True)
class Report:
    """stages: for each part of sampling, the rows and their coefficients. A coefficient that varies
    over images or places is its mean.

    The rest is of a finished run. steps: for each evaluation the ratio of noise to signal, the rows
    that were run and those that were kept. error_spent: what keeping rows may have cost, as a share
    of the latent; error_audited: how far rows that were run again were from what was foreseen.
    """

    composition: str
    modalities: tuple[dict[str, Any], ...]
    stages: tuple[dict[str, Any], ...]
    evaluations: int | None = None
    rows: int | None = None
    steps: tuple[dict[str, Any], ...] = ()
    error_spent: float = 0.0
    error_audited: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dict(vars(self))

    def __str__(self) -> str:
        """A few lines for people."""
        lines = [f"composition {self.composition}"]
        for m in self.modalities:
            window = "" if (m["start"], m["end"]) == (0, 1) else f", {m['start']:g} to {m['end']:g}"
            weight = m["weight"]
            said = f"{weight:g}" if isinstance(weight, float | int) else str(list(weight))
            lines.append(f"{m['name']}: weight {said}{window}")
        for stage in self.stages:
            rows = ", ".join(f"{c:+.3g} {row}" for row, c in stage["rows"].items())
            lines.append(f"from {stage['start']:g} to {stage['end']:g}: {rows}")
        if self.evaluations:
            each = (self.rows or 0) / self.evaluations
            lines.append(f"{self.rows} rows in {self.evaluations} evaluations, {each:.2f} each")
        if self.error_spent:
            lines.append(
                f"rows were kept at an estimated error of {self.error_spent:.2%} of the latent"
            )
        return "\n".join(lines)


def describe(program: Program, planner: Planner | None = None) -> Report:
    """The report of a program, before a run or after it. planner: that of the run."""
    edges = program.edges()
    stages = []
    for start, end in zip(edges, (*edges[1:], 1.0), strict=True):
        plan = program.plan_at(start)
        stages.append(
            {
                "start": start,
                "end": end,
                "rows": {str(row): _number(c) for row, c in plan.coefficients.items()},
            }
        )
    modalities = tuple(
        {"name": m.name, "weight": m.weight, "start": m.window.start, "end": m.window.end}
        for m in program.modalities
    )
    plain = Report(program.composition, modalities, tuple(stages))
    if planner is None:
        return plain
    ran = planner.steps
    return replace(
        plain,
        evaluations=len(ran),
        rows=sum(len(s.fresh) for s in ran),
        steps=tuple({"noise": s.noise, "fresh": s.fresh, "kept": s.kept} for s in ran),
        error_spent=sum(s.spent for s in ran),
        error_audited=sum(s.audited for s in ran),
    )


def _number(gain: Gain) -> float:
    return float(gain.mean()) if isinstance(gain, Tensor) else gain
