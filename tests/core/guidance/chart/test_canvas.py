"""Shapes are where they are put; words fit where they must."""

import numpy as np
import pytest

from mm_core.guidance.chart.canvas import Canvas, fitted, width_of, wrapped

RED = (200, 0, 0)
LONG = "an input with a rather long name 14"


def pixels(draw, size=(40, 30)):
    canvas = Canvas(*size)
    draw(canvas)
    return np.asarray(canvas.finish()).astype(int)


def test_an_empty_canvas_is_white():
    assert (pixels(lambda c: None) == 255).all()


def test_a_box_fills_its_corners_and_nothing_else():
    found = pixels(lambda c: c.box((10, 5, 20, 25), RED))
    inside = np.zeros((30, 40), bool)
    inside[5:25, 10:20] = True
    assert (found[inside] == RED).all()
    assert (found[~inside] == 255).all()


def test_half_a_pixel_is_half_covered():
    found = pixels(lambda c: c.box((10, 5, 20, 10 + 2 / 3), (0, 0, 0)))
    assert found[10, 15, 0] == pytest.approx(255 / 3, abs=1)


def test_a_box_without_area_is_not_drawn():
    assert (pixels(lambda c: c.box((10, 5, 20, 5), RED, RED)) == 255).all()


def test_lines_and_dots_go_where_they_are_sent():
    line = pixels(lambda c: c.line([(0, 15), (40, 15)], RED, 3))
    assert (line[15, 2:-2] == RED).all()
    assert (line[20] == 255).all()
    dot = pixels(lambda c: c.dot((20, 15), 5, RED, RED))
    assert tuple(dot[15, 20]) == RED
    assert (dot[15, 27] == 255).all()


def test_a_line_of_one_point_is_not_drawn():
    assert (pixels(lambda c: c.line([(5, 5)], RED)) == 255).all()


def test_words_are_as_wide_as_they_say_and_lie_above_shapes():
    found = pixels(
        lambda c: (c.text((10, 15), "Wide words", (0, 0, 0)), c.box((0, 0, 120, 30), RED)),
        (120, 30),
    )
    (columns,) = np.nonzero((found[:, :, 0] < 100).any(0))
    assert columns[0] == pytest.approx(10, abs=2)
    assert columns[-1] == pytest.approx(10 + width_of("Wide words"), abs=3)


def test_a_name_that_fits_is_left_as_it_is():
    assert fitted("text", 100) == "text"


@pytest.mark.parametrize("width", [0, 5, 30, 80, 120])
def test_a_name_that_does_not_fit_loses_its_middle(width):
    said = fitted(LONG, width)
    assert "..." in said
    if width >= 80:
        assert width_of(said) <= width
        assert said.endswith("14")
        assert said.startswith("an")


def test_a_name_of_several_lines_becomes_one():
    assert fitted("two\nlines", 100) == "two lines"


def test_sentences_are_wrapped_and_no_word_is_lost():
    lines = wrapped(f"{LONG} and {LONG}", 100)
    assert " ".join(lines) == f"{LONG} and {LONG}"
    assert max(map(width_of, lines)) <= 100
    assert wrapped("unbreakable" * 9, 100) == [fitted("unbreakable" * 9, 100)]
