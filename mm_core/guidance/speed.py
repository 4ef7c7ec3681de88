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
    second step while that is at most a quarter of all steps so far. draft: one row, weights as
    strengths.
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
    return replace(program, composition="weighted_negative", overlap=0.0), FAST


SPEEDS: dict[str, Callable[[Program], tuple[Program, Effort]]] = {
    "exact": lambda program: (program, EXACT),
    "balanced": lambda program: (program, BALANCED),
    "fast": _fast,
    "draft": lambda program: (replace(program, composition=DRAFT, overlap=0.0), EXACT),
}
