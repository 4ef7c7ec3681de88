"""What a program runs, in words and numbers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from ..types import Modality, Tensor
from . import summary
from .gain import Gain
from .plan import GuidancePlan
from .planner import Planner
from .program import Program
from .trace import Trace


@dataclass(frozen=True)
class Report:
    """stages: for each part of sampling, the rows and their coefficients. A coefficient that varies
    over images or places is its mean; schedules are left out.

    The rest is of a finished run. evaluations, rows, kept: how many evaluations there were, rows
    that were run and rows that were kept. steps: for each evaluation the ratio of noise to signal,
    None where it is infinite, the rows that were run and those that were kept; of a run with a
    trace, its figures too. error_spent: what keeping rows may have cost, as a share of the latent:
    the root of the steps' squares, for errors of steps have little to do with each other;
    error_audited: the same of how far rows that were run again were from what was foreseen.

    shares, information: for each subject its mean share of the push and what it told, in nats.
    cosines: their mean between subjects, in the same order. warnings: sentences.
    """

    composition: str
    modalities: tuple[dict[str, Any], ...]
    stages: tuple[dict[str, Any], ...]
    evaluations: int | None = None
    rows: int | None = None
    steps: tuple[dict[str, Any], ...] = ()
    error_spent: float = 0.0
    error_audited: float = 0.0
    kept: int | None = None
    shares: dict[str, float] = field(default_factory=dict)
    information: dict[str, float] = field(default_factory=dict)
    cosines: list[list[float | None]] = field(default_factory=list)
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Strict JSON: None stands for a number that is not finite."""
        return {name: _plain(value) for name, value in vars(self).items()}

    def __str__(self) -> str:
        """A few lines for people."""
        lines = [f"composition {self.composition}"]
        for m in self.modalities:
            window = "" if (m["start"], m["end"]) == (0, 1) else f", {m['start']:g} to {m['end']:g}"
            weight = m["weight"]
            said = f"{weight:g}" if isinstance(weight, float | int) else str(list(weight))
            more = f", schedule {m['schedule']}" if m.get("schedule") else ""
            more += ", under a mask" if m.get("mask") else ""
            more += f", in group {m['group']}" if m.get("group") else ""
            lines.append(f"{m['name']}: weight {said}{window}{more}")
        for stage in self.stages:
            rows = ", ".join(f"{c:+.3g} {row}" for row, c in stage["rows"].items())
            lines.append(f"from {stage['start']:g} to {stage['end']:g}: {rows}")
        if self.evaluations:
            each = (self.rows or 0) / self.evaluations
            lines.append(f"{self.rows} rows in {self.evaluations} evaluations, {each:.2f} each")
        for name, share in self.shares.items():
            told = self.information.get(name)
            nats = "" if told is None else f", {told:.3g} nats"
            lines.append(f"{name}: {share:.0%} of the push{nats}")
        if self.error_spent:
            lines.append(
                f"rows were kept at an estimated error of {self.error_spent:.2%} of the latent"
            )
        lines += [f"warning: {said}" for said in self.warnings]
        return "\n".join(lines)


def describe(
    program: Program, planner: Planner | None = None, trace: Trace | None = None
) -> Report:
    """The report of a program, before a run or after it. planner, trace: those of the run."""
    edges, shown = program.edges(), program.averaged()
    stages = []
    for start, end in zip(edges, (*edges[1:], 1.0), strict=True):
        plan = shown.plan_at(start)
        stages.append(
            {
                "start": start,
                "end": end,
                "rows": _told(plan),
            }
        )
    modalities = tuple(_modality(m) for m in program.modalities)
    plain = Report(program.composition, modalities, tuple(stages))
    if planner is None and trace is None:
        return plain
    counted = planner.steps if planner else []
    seen = trace.steps() if trace else ()
    none: dict[str, Any] = {}
    ran = [{"noise": s.noise, "fresh": s.fresh, "kept": s.kept} for s in counted]
    steps = tuple({**a, **b} for a, b in zip_longest(ran, seen, fillvalue=none))
    return replace(
        plain,
        evaluations=len(steps),
        rows=sum(len(s["fresh"]) for s in steps),
        kept=sum(len(s["kept"]) for s in steps),
        steps=steps,
        error_spent=math.hypot(*(s.spent for s in counted)),
        error_audited=math.hypot(*(s.audited for s in counted)),
        shares=summary.shares(steps),
        information=summary.information(steps),
        cosines=summary.cosines(steps),
        warnings=summary.warnings(steps),
    )


def _told(plan: GuidancePlan) -> dict[str, float]:
    """Rows and what they are multiplied by; a row that acts across others, its weight."""
    rows = {str(row): _number(c) for row, c in plan.coefficients.items()}
    return rows | {f"{t.plus} (across)": _number(t.weight) for t in plan.across}


def _modality(m: Modality) -> dict[str, Any]:
    """schedule, mask and group: only where there is one."""
    told = {"name": m.name, "weight": m.weight, "start": m.window.start, "end": m.window.end}
    more = {
        "schedule": getattr(m.schedule, "kind", "") if m.schedule else "",
        "mask": m.mask is not None,
        "group": m.group,
    }
    return {**told, **{name: value for name, value in more.items() if value}}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if hasattr(value, "tolist"):  # of torch and of numpy
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _number(gain: Gain) -> float:
    return float(gain.mean()) if isinstance(gain, Tensor) else gain
