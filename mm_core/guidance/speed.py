"""The four speeds: how much exactness is given up for fewer rows."""

from collections.abc import Callable
from dataclasses import replace

from ..errors import PlanError
from .compositions import DRAFT
from .planner import BALANCED, EXACT, FAST, Effort
from .program import Program


def at_speed(program: Program, speed: str) -> tuple[Program, Effort]:
    """The program to run, and how.

    exact: every row at every step. balanced: rows are kept while the error that this may cause
    stays below 3.5 % of what guidance changes. fast: one mixed row for all inputs, run at every
    second step while that is at most a quarter of all steps so far; an input with a weight for each
    image has a row of its own. draft: one row, weights as strengths, the mean of a list.
    """
    if speed not in SPEEDS:
        raise PlanError(f"there is no speed {speed!r}; choose from {list(SPEEDS)}")
    return SPEEDS[speed](program)


def _fast(program: Program) -> tuple[Program, Effort]:
    if program.composition not in ("leave_one_out", "weighted_negative"):
        raise PlanError(
            f"fast mixes the inputs of leave_one_out into one row; found {program.composition}: "
            "take leave_one_out, or the speed balanced"
        )
    # A mixed row for each set of weights in a batch could be more rows than exact has.
    apart = frozenset(m.name for m in program.modalities if len(set(m.weights)) > 1)
    mixed = replace(program, composition="weighted_negative", overlap=0.0, apart=apart)
    return mixed, FAST


def _draft(program: Program) -> tuple[Program, Effort]:
    means = (replace(m, weight=sum(m.weights) / len(m.weights)) for m in program.modalities)
    return replace(program, modalities=tuple(means), composition=DRAFT, overlap=0.0), EXACT


SPEEDS: dict[str, Callable[[Program], tuple[Program, Effort]]] = {
    "exact": lambda program: (program, EXACT),
    "balanced": lambda program: (program, BALANCED),
    "fast": _fast,
    "draft": _draft,
}
