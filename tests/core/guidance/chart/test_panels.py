"""Each plot shows its numbers: looked up pixel by pixel where they must be."""

import numpy as np
import pytest

from mm_core.guidance.chart.axes import Frame
from mm_core.guidance.chart.canvas import Canvas
from mm_core.guidance.chart.palette import (
    GRID,
    PAPER,
    RUN,
    WARNING,
    colors,
    diverging,
    lighter,
)
from mm_core.guidance.chart.panels import (
    cosines,
    push_shares,
    relative_push,
    row_labels,
    rows_run,
    told,
)

FRAME = Frame(160, 20, 360, 120)  # 200 x 100: a percent is a pixel
TINT = colors(["text", "style"])
TEXT, STYLE = TINT.values()


def term(subject, share=0.5, nats=1.0, stale=False):
    return {"subject": subject, "share": share, "information": nats, "stale": stale}


def step(*terms, fresh=("a",), kept=(), relative=0.1):
    return {
        "terms": list(terms),
        "fresh": list(fresh),
        "kept": list(kept),
        "relative_push": relative,
    }


def drawn(plot, *given):
    """at(x, y): the colour there, from the left and bottom of the frame in pixels."""
    canvas = Canvas(400, 160)
    plot(canvas, FRAME, *given)
    found = np.asarray(canvas.finish())
    return lambda x, y: tuple(found[round(FRAME.bottom - y), round(FRAME.left + x)].tolist())


def test_shares_are_stacked_from_below_in_the_order_of_the_colors():
    steps = [step(term("style", 0.3), term("text", 0.7)), step(term("text", 1.0))]
    at = drawn(push_shares, steps, TINT)
    assert [at(50, y) for y in (5, 65, 75, 95)] == [TEXT, TEXT, STYLE, STYLE]
    assert [at(150, y) for y in (5, 95)] == [TEXT, TEXT]


def test_a_stale_share_is_lighter():
    at = drawn(push_shares, [step(term("text", 0.5), term("style", 0.5, stale=True))], TINT)
    assert (at(100, 20), at(100, 80)) == (TEXT, lighter(STYLE))


def test_an_unknown_share_is_a_gap():
    at = drawn(push_shares, [step(term("text", None)), step(term("text", 1.0))], TINT)
    assert (at(50, 40), at(150, 40)) == (PAPER, TEXT)


def test_a_strong_push_stands_out():
    at = drawn(relative_push, [step(relative=0.25), step(relative=0.9), step(relative=None)])
    assert [at(30, y) for y in (5, 20, 30)] == [RUN, RUN, PAPER]
    assert [at(100, y) for y in (5, 85, 95)] == [WARNING, WARNING, PAPER]
    assert at(170, 20) == PAPER


def test_information_adds_up():
    steps = [step(term("text", nats=n)) for n in (10.0, 20.0, None, 70.0)]
    at = drawn(told, steps, colors(["text"]))  # the highest level is 100 nats: a nat is a pixel
    assert [at(x, y) for x, y in ((25, 10), (75, 30), (125, 30), (175, 100))] == [TEXT] * 4


def test_what_is_told_from_kept_rows_is_hollow():
    steps = [step(term("text", nats=50.0)), step(term("text", nats=50.0, stale=True))]
    at = drawn(told, steps, colors(["text"]))
    assert (at(50, 50), at(150, 100)) == (TEXT, PAPER)
    assert at(100, 75) == lighter(TEXT, 0.45)  # halfway along the line


def test_rows_that_were_run_are_filled_and_kept_ones_hollow():
    steps = [step(fresh=["a", "b"]), step(fresh=["a"], kept=["b"]), step(fresh=["b"])]
    at = drawn(rows_run, steps, [("a", "first"), ("b", "second")])
    assert [at(x, 75) for x in (33, 100, 167)] == [RUN, RUN, PAPER]
    assert [at(x, 25) for x in (33, 100, 167)] == [RUN, PAPER, RUN]
    edge = [at(100, 25 + y) for y in range(3, 9)]
    assert min(edge) < (160, 160, 160)


def test_cosines_are_colors_and_the_diagonal_is_none():
    at = drawn(cosines, [[1.0, -0.5], [-0.5, 1.0]], TINT)
    assert at(10, 90) == GRID
    assert at(50, 90) == at(10, 50) == diverging(-0.5)
    unknown = drawn(cosines, [[1.0, None], [None, 1.0]], TINT)
    assert unknown(50, 90) == GRID


@pytest.mark.parametrize(
    ("plot", "given"),
    [
        (push_shares, ([step()], {})),
        (push_shares, ([{"fresh": ("a",), "kept": ()}], {})),
        (relative_push, ([step(relative=0.0)],)),
        (told, ([step(term("text", nats=None))], TINT)),
        (cosines, ([[1.0]], {"text": TEXT})),
    ],
)
def test_where_there_is_nothing_to_plot_it_says_so(plot, given):
    at = drawn(plot, *given)
    assert at(100, 99) == PAPER
    assert min(at(x, y) for x in range(60, 140) for y in range(44, 57)) < (180, 180, 180)


def test_many_evaluations_still_fill_the_frame():
    at = drawn(push_shares, [step(term("text", 1.0))] * 500, TINT)
    assert {at(x, 50) for x in range(1, 199)} == {TEXT}


def test_rows_are_named_by_what_they_lack_the_fullest_first():
    rows = ["null", "depth+text", "depth+style+text", "style+text", "text"]
    assert row_labels([step(fresh=rows[:2], kept=rows[2:])], 300) == [
        ("depth+style+text", "all"),
        ("depth+text", "all but style"),
        ("style+text", "all but depth"),
        ("text", "only text"),
        ("null", "none"),
    ]


def test_a_row_of_strengths_is_named_as_it_is():
    labels = row_labels([step(fresh=["style+text", "style*0.5+text*0.25"])], 300)
    assert labels == [("style+text", "all"), ("style*0.5+text*0.25",) * 2]


def test_a_long_name_of_a_row_is_cut():
    ((_, label),) = row_labels([step(fresh=["x" * 90])], 60)
    assert "..." in label
