"""What a program runs, in words and numbers."""

from dataclasses import dataclass
from typing import Any

from .program import Program


@dataclass(frozen=True)
class Report:
    """stages: for each part of sampling, the rows and their coefficients.

    evaluations and rows are of a finished run, or None before one.
    """

    composition: str
    modalities: tuple[dict[str, Any], ...]
    stages: tuple[dict[str, Any], ...]
    evaluations: int | None = None
    rows: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dict(vars(self))

    def __str__(self) -> str:
        """A few lines for people."""
        lines = [f"composition {self.composition}"]
        for m in self.modalities:
            window = "" if (m["start"], m["end"]) == (0, 1) else f", {m['start']:g} to {m['end']:g}"
            lines.append(f"{m['name']}: weight {m['weight']:g}{window}")
        for stage in self.stages:
            rows = ", ".join(f"{c:+.3g} {row}" for row, c in stage["rows"].items())
            lines.append(f"from {stage['start']:g} to {stage['end']:g}: {rows}")
        if self.evaluations:
            each = (self.rows or 0) / self.evaluations
            lines.append(f"{self.rows} rows in {self.evaluations} evaluations, {each:.2f} each")
        return "\n".join(lines)


def describe(program: Program, evaluations: int | None = None, rows: int | None = None) -> Report:
    """The report of a program, before a run or after it."""
    edges = program.edges()
    stages = []
    for start, end in zip(edges, (*edges[1:], 1.0), strict=True):
        plan = program.plan_at(start)
        stages.append(
            {
                "start": start,
                "end": end,
                "rows": {str(row): c for row, c in plan.coefficients.items()},
            }
        )
    modalities = tuple(
        {"name": m.name, "weight": m.weight, "start": m.window.start, "end": m.window.end}
        for m in program.modalities
    )
    return Report(program.composition, modalities, tuple(stages), evaluations, rows)
