"""A report of any kind is one legible picture."""

from dataclasses import replace

import numpy as np
import pytest

from mm_core.guidance.chart.palette import NAMED, RUN, WARNING
from mm_core.guidance.chart.report import WIDTH, draw_report
from mm_core.guidance.program import Program
from mm_core.guidance.report import describe
from mm_core.types import Modality, Window

LONG = "an input with a rather long name"


def program(*names):
    return Program(tuple(Modality(n, 2.0, Window(0.0, 0.6)) for n in names))


def ran(names, evaluations, nats=1.0, stale=False):
    """The report of a run in which all names push alike."""
    rows = ["+".join(n for n in names if n != without) or "null" for without in (None, *names)]
    step = {
        "progress": 0.5, "noise": None, "fresh": rows[:1], "kept": rows[1:],
        "terms": [
            {"subject": n, "push": 1.0, "share": 1 / len(names), "information": nats,
             "stale": stale} for n in names
        ],
        "cosines": [[0.5] * len(names)] * len(names), "relative_push": 0.6, "parallel": 0.1,
    }  # fmt: skip
    return replace(
        describe(program(*names)), steps=(step,) * evaluations, evaluations=evaluations,
        rows=evaluations, kept=len(names) * evaluations, error_spent=0.01,
        shares=dict.fromkeys(names, 1 / max(1, len(names))),
        information={} if nats is None else dict.fromkeys(names, nats * evaluations),
        cosines=step["cosines"], warnings=(f"{LONG} says nothing " * 5,),
    )  # fmt: skip


def pixels(report):
    return np.asarray(draw_report(report)).astype(int)


def share_of(color, found):
    return (np.abs(found - np.array(color)).max(2) <= 2).mean()


KINDS = {
    "before a run": describe(program("text", "style")),
    "of each image": describe(Program((Modality("text", (2.0, -1.0)),))),
    "nothing": describe(Program(())),
    "untraced": replace(
        describe(program("text")), evaluations=1, rows=1,
        steps=({"noise": 1.0, "fresh": ("text",), "kept": ()},),
    ),
    "no terms": ran([], 9),
    "one input": ran(["text"], 12),
    "one step": ran(["text", "style"], 1, None),
    "a hundred": ran(["text", "style"], 100, stale=True),
    "sixteen": ran([f"{LONG} {i}" for i in range(16)], 30),
    "sixteen before": describe(program(*(f"{LONG} {i}" for i in range(16)))),
    "a thousand": ran(["text"], 1000),
    "hostile": ran(["two\nlines", "\u6f22\u5b57 \U0001f600", ""], 3, float("1e300")),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_report_is_a_light_picture_with_a_margin(kind):
    found = pixels(KINDS[kind])
    assert found.shape[1] == WIDTH
    assert 400 <= found.shape[0] <= 1400
    assert np.median(found) == 255
    border = np.concatenate([found[:8].reshape(-1, 3), found[-8:].reshape(-1, 3)])
    assert (border == 255).all()
    assert (found[:, :12] == 255).all()
    assert (found[:, -12:] == 255).all()


def test_pushes_rows_and_warnings_are_seen():
    found = pixels(ran(["text", "style"], 20))
    for color in (NAMED["text"], NAMED["style"], RUN):
        assert share_of(color, found) > 0.005
    assert share_of(WARNING, found) > 0.0005


def test_before_a_run_the_inputs_are_bars_as_long_as_they_act():
    found = pixels(KINDS["before a run"])
    acting = (np.abs(found - np.array(NAMED["text"])).max(2) <= 2).sum(1).max()
    assert acting == pytest.approx(0.6 * (WIDTH - 2 * 28 - 200), abs=40)  # the weight's letters


def test_one_report_is_one_picture():
    assert draw_report(KINDS["one input"]).tobytes() == draw_report(KINDS["one input"]).tobytes()


def test_what_changes_is_seen():
    one, other = ran(["text", "style"], 9), ran(["text", "style"], 9, stale=True)
    assert draw_report(one).tobytes() != draw_report(other).tobytes()
