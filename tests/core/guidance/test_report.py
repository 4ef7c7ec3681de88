"""The report says what a plan runs, in words and numbers."""

import json

import pytest
import torch

from mm_core.guidance.planner import FAST, Planner
from mm_core.guidance.program import Program
from mm_core.guidance.report import describe
from mm_core.types import Modality, Window

PROGRAM = Program((Modality("text", 3.0), Modality("depth", 2.0, Window(0.0, 0.25))))


def test_each_part_of_sampling_has_its_rows_and_coefficients():
    assert describe(PROGRAM).stages == (
        {
            "start": 0.0,
            "end": 0.25,
            "rows": {"depth+text": 4.0, "depth": -2.0, "text": -1.0},
        },
        {"start": 0.25, "end": 1.0, "rows": {"text": 3.0, "null": -2.0}},
    )


def test_modalities_are_told_with_weight_and_window():
    assert describe(PROGRAM).modalities == (
        {"name": "text", "weight": 3.0, "start": 0.0, "end": 1.0},
        {"name": "depth", "weight": 2.0, "start": 0.0, "end": 0.25},
    )


@pytest.fixture
def finished():
    """The report of three evaluations at the speed fast, two of which ran every row."""
    planner, plan = Planner(FAST), PROGRAM.plan_at(0.5)
    for noise, following in ((4.0, 3.0), (3.0, 2.0), (2.0, 0.0)):
        rows = planner.choose(plan, noise, following)
        planner.complete({row: torch.ones(1, 1, 2, 2) * len(row.names) for row in rows}, plan, 1.0)
    return describe(PROGRAM, planner)


def test_costs_are_unknown_before_a_run_and_told_after_it(finished):
    assert describe(PROGRAM).rows is None
    assert (finished.evaluations, finished.rows) == (3, 5)
    assert "5 rows in 3 evaluations, 1.67 each" in str(finished)


def test_each_evaluation_says_what_was_run_and_what_was_kept(finished):
    assert finished.steps[1] == {"noise": 3.0, "fresh": ("null", "text"), "kept": ()}
    assert finished.steps[2] == {"noise": 2.0, "fresh": ("text",), "kept": ("null",)}


def test_weights_of_each_image_are_listed_and_their_coefficient_is_the_mean():
    report = describe(Program((Modality("text", (3.0, 1.0)),)))
    assert report.stages[0]["rows"] == {"text": 2.0, "null": -1.0}
    assert "text: weight [3.0, 1.0]" in str(report)


def test_the_report_is_json(finished):
    assert json.loads(json.dumps(finished.as_dict()))["composition"] == "leave_one_out"
