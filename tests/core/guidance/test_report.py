"""The report says what a plan runs, in words and numbers."""

import json

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


def test_costs_are_unknown_before_a_run_and_told_after_it():
    assert describe(PROGRAM).rows is None
    assert (describe(PROGRAM, 25, 60).evaluations, describe(PROGRAM, 25, 60).rows) == (25, 60)


def test_the_report_is_json():
    assert json.loads(json.dumps(describe(PROGRAM, 25, 60).as_dict()))["composition"] == (
        "leave_one_out"
    )
