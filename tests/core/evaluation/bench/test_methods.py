"""What each method asks for in one evaluation of two inputs, by its definition."""

import pytest
import torch

from mm_core.evaluation.bench.methods import MEANING, METHODS, in_band
from mm_core.guidance.program import Program
from mm_core.types import NULL, Modality, Moment, Row

PROGRAM = Program((Modality("a", 3.0), Modality("b", 2.0)))
J, A, B = Row.of("ab"), Row.of("a"), Row.of("b")
LOO = {J, A, B}
MIXED = Row.of({"b": 0.5})  # strength 1 - (w - 1) / 2
DRAFT = Row.of({"a": 3.0, "b": 2.0})
ROWS = {
    "exact": LOO, "balanced": LOO, "everywhere": LOO, "interval": LOO, "adaptive": LOO,
    "fast": {J, MIXED}, "weighted_negative": {J, MIXED}, "draft": {DRAFT}, "unguided": {J},
    "joint": {J, NULL}, "residual cache": {J, NULL}, "independent": {A, B, NULL},
}  # fmt: skip


def value(row):
    """A number that tells what a row sees."""
    return torch.full((1, 1, 8, 8), 1 + row.strength("a") + 10 * row.strength("b"))


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_the_first_evaluation_runs_the_rows_of_the_rule(method):
    asked = []

    def predict(rows):
        asked.extend(rows)
        return {row: value(row) for row in rows}

    found = method.start(PROGRAM, "velocity")(value(NULL), Moment(0.5, 1.0), 0.5, predict)
    assert set(asked) == ROWS[method.name]
    if ROWS[method.name] == LOO:  # D_J + 2 (D_J - D_b) + 1 (D_J - D_a), with 12, 11 and 2
        assert float(found.mean()) == pytest.approx(12 + 2 * (12 - 11) + (12 - 2))


def test_outside_its_band_the_interval_guides_by_nothing():
    inside, outside = (in_band(PROGRAM).plan_at(Moment(0.5, n)).rows for n in (1.0, 6.0))
    assert set(inside) == LOO
    assert outside == (J,)
    assert in_band(in_band(PROGRAM), None) == PROGRAM


def test_every_method_is_explained_and_compared_with_one_that_there_is():
    names = [m.name for m in METHODS]
    assert set(MEANING) == set(names)
    assert {m.own for m in METHODS} <= set(names)
