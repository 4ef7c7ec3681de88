"""Whatever the user gets wrong is one line and exit code 2."""

import subprocess
import sys

import pytest

from mm_core.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "the following arguments are required: command; see mmc --help"),
        (["paint"], "invalid choice: 'paint'"),
        (["generate", "--text"], "argument --text: expected one argument; see mmc generate --help"),
        (["generate", "--steps", "many"], "argument --steps: invalid int value: 'many'"),
        (["generate", "--haste", "3"], "unrecognized arguments: --haste 3"),
        (["train", "everything"], "invalid choice: 'everything'"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_refused_in_one_line(refused, arguments, words):
    refused(words, *arguments)


def test_help_is_told_and_is_no_error(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert all(
        name in said for name in ("demo", "generate", "train", "evaluate", "convert", "doctor")
    )


def test_ctrl_c_ends_with_130_and_no_traceback(mmc, monkeypatch):
    def interrupted(given):
        raise KeyboardInterrupt

    monkeypatch.setattr("mm_core.cli.doctor.run", interrupted)
    outcome = mmc("doctor")
    assert outcome.code == 130
    assert outcome.err == "\nmmc: cancelled; nothing was left half-written\n"


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (MemoryError(), "out of memory; use a lower --size"),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried"), "out of memory"),
        (OSError(28, "No space left on device", "/x/o.png"), "write /x/o.png: No space left"),
    ],
)
def test_a_machine_that_is_full_is_one_line(refused, monkeypatch, raised, words):
    def full(given):
        raise raised

    monkeypatch.setattr("mm_core.cli.doctor.run", full)
    refused(words, "doctor")


def test_our_own_mistakes_are_not_hidden(monkeypatch):
    def broken(given):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr("mm_core.cli.doctor.run", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        main(["doctor"])


def test_a_reader_that_hangs_up_is_no_error(mmc, monkeypatch):
    def hung_up(given):
        raise BrokenPipeError

    monkeypatch.setattr("mm_core.cli.doctor.run", hung_up)
    assert mmc("doctor").code == 0


def test_the_package_runs_as_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "mm_core", "generate", "--steps", "0"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "mmc: steps is 0; it must be between 1 and 1000\n"
