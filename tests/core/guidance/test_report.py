"""The report says what a plan runs, in words and numbers."""

import json
import math

import pytest
import torch

from mm_core.guidance.planner import FAST, Planner
from mm_core.guidance.program import Program
from mm_core.guidance.report import describe
from mm_core.guidance.trace import Trace
from mm_core.types import Modality, Moment, Window

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
        planner.complete({row: torch.ones(1, 1, 2, 2) * len(row.names) for row in rows}, plan)
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


def traced(program, latents, noises=(4.0, 2.0, 1.0)):
    """The report of a run at the speed fast; latents(row) makes a row's prediction."""
    planner, trace = Planner(FAST), Trace()
    for noise, following in zip(noises, (*noises[1:], 0.0), strict=True):
        plan = program.plan_at(0.0)
        run = planner.choose(plan, noise, following)
        predictions = planner.complete({row: latents(row) for row in run}, plan)
        x = torch.zeros(2, 1, 2, 2)
        trace.see(Moment(0.0, noise), following, plan, predictions, run, x, latents(plan.anchor))
    return describe(program, planner, trace)


def counted(row):
    """A prediction that text moves by 1 and depth by 2."""
    return torch.full((2, 1, 2, 2), 1 + row.strength("text") + 2 * row.strength("depth"))


def test_a_trace_adds_its_figures_to_the_evaluations():
    report = traced(PROGRAM, counted)
    assert [s["fresh"] for s in report.steps][2] == ["depth+text"]
    assert [s["kept"] for s in report.steps][2] == ["depth", "text"]
    assert (report.rows, report.kept, report.evaluations) == (7, 2, 3)
    assert [t["stale"] for t in report.steps[2]["terms"]] == [True, True]


def test_the_whole_run_is_told_for_each_subject_in_numbers_and_words():
    report = traced(PROGRAM, counted)
    assert report.shares == {"text": pytest.approx(0.5), "depth": pytest.approx(0.5)}
    # text: |V|^2 is 4, seen at 4 and 2 and told down to 1; depth's is four times that.
    told = 2 * sum(
        (1 + s) * math.log((1 + after) / (1 + s)) for s, after in [(1 / 16, 1 / 4), (1 / 4, 1)]
    )
    assert report.information == {"text": pytest.approx(told), "depth": pytest.approx(4 * told)}
    assert report.cosines == [[1.0, pytest.approx(1)], [pytest.approx(1), 1.0]]
    assert f"text: 50% of the push, {told:.3g} nats" in str(report).splitlines()


def test_warnings_end_the_words():
    def against(row):
        return torch.full((2, 1, 2, 2), 1 + row.strength("text") - 2 * row.strength("depth"))

    report = traced(PROGRAM, against)
    assert [w.split(":")[0] for w in report.warnings] == ["depth and text contradict each other"]
    assert str(report).splitlines()[-1] == f"warning: {report.warnings[0]}"


def test_a_trace_alone_is_a_report_too():
    trace = Trace()
    plan = PROGRAM.plan_at(0.0)
    predictions = {row: counted(row) for row in plan.rows}
    x = torch.zeros(2, 1, 2, 2)
    trace.see(Moment(0.0, math.inf), 1.0, plan, predictions, plan.rows[:2], x, x)
    report = describe(PROGRAM, trace=trace)
    assert (report.evaluations, report.rows, report.kept) == (1, 2, 1)


@pytest.mark.parametrize(
    ("weight", "mask"),
    [(3.0, None), ((3.0, -1.0), None), (3.0, torch.tensor([[[0.0, 1.0], [0.5, 0.25]]]))],
    ids=["number", "each image", "mask"],
)
@pytest.mark.parametrize("value", [1.0, math.inf, math.nan])
def test_the_report_is_strict_json(weight, mask, value):
    program = Program((Modality("text", weight, mask=mask), Modality("depth", 2.0)))
    report = traced(program, lambda row: counted(row) * value, (math.inf, 2.0, 1.0))
    read = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert read["composition"] == "leave_one_out"
    assert read["modalities"][0]["weight"] == (list(weight) if isinstance(weight, tuple) else 3.0)
    assert (read["steps"][0]["noise"], read["steps"][1]["noise"]) == (None, 2.0)


def test_the_report_is_json(finished):
    assert json.loads(json.dumps(finished.as_dict()))["composition"] == "leave_one_out"


def test_schedules_masks_groups_and_rows_across_others_are_told():
    from mm_core.guidance.schedule import Schedule

    modalities = (
        Modality("text", 3.0, schedule=Schedule("linear")),
        Modality("bad", -2.0, group="g"),
    )
    report = describe(Program(modalities, "perp_neg"))
    assert report.modalities[0]["schedule"] == "linear"
    assert report.stages[0]["rows"] == {"null": -2.0, "text": 3.0, "bad (across)": -2.0}
    assert "text: weight 3, schedule linear" in str(report)
    assert "bad: weight -2, in group g" in str(report)
