"""The command as a user meets it: arguments in; exit code, two streams and files out."""

import os
from dataclasses import dataclass

import pytest
import torch


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def mmc(capsys, tmp_path, monkeypatch):
    """mmc("generate", "--text", ...) in an empty folder, in this process."""
    from mm_core.cli.main import main

    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = main([str(a) for a in arguments])
        return Outcome(code, *capsys.readouterr())

    yield run
    torch.set_flush_denormal(False)  # commands set it for their whole process


@pytest.fixture
def files(tmp_path):
    """The names of all files and folders below the working folder."""
    return lambda: sorted(
        os.path.relpath(os.path.join(folder, name), tmp_path)
        for folder, folders, names in os.walk(tmp_path)
        for name in (*folders, *names)
    )


@pytest.fixture
def refused(mmc, files):
    """Asserts that a command ends with 2, says one line with these words, and writes nothing."""

    def check(words, *arguments):
        before = files()
        outcome = mmc(*arguments)
        lines = outcome.err.splitlines()
        assert outcome.code == 2
        assert len(lines) == 1, outcome.err
        assert lines[0].startswith("mmc: ")
        assert words in lines[0]
        assert outcome.out == ""
        assert files() == before

    return check
