"""A bar where somebody watches, one line where nobody does."""

import io
import re
import sys

import pytest

from mm_core.cli.progress import Progress


class Terminal(io.StringIO):
    """A stream that says it is watched."""

    def isatty(self):
        return True


@pytest.fixture
def shown(monkeypatch):
    """shown(Terminal()) takes the place of standard error."""

    def take(stream):
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return take


def test_nobody_watching_gets_one_plain_line(shown):
    stream = shown(io.StringIO())
    with Progress("sampling", 3) as bar:
        for _ in range(3):
            bar.step()
    assert re.fullmatch(r"sampling: done in \d+\.\d s\n", stream.getvalue())


def test_nobody_watching_is_told_nothing_of_work_that_failed(shown):
    stream = shown(io.StringIO())
    with pytest.raises(KeyboardInterrupt), Progress("sampling", 3):
        raise KeyboardInterrupt
    assert stream.getvalue() == ""


def test_a_terminal_sees_a_bar_that_fills_in_one_line(shown):
    stream = shown(Terminal())
    with Progress("sampling", 2) as bar:
        bar.step()
        bar.step()
    lines = stream.getvalue().split("\r")[1:]
    assert [line.count("#") for line in lines] == [0, 15, 30]
    assert "1/2" in lines[1]
    assert "0 s left" in lines[2]
    assert stream.getvalue().count("\n") == 1


def test_steps_may_come_in_lots_and_overshoot(shown):
    stream = shown(Terminal())
    with Progress("sampling", 2) as bar:
        bar.step(5)
    assert stream.getvalue().split("\r")[-1].count("#") == 30
