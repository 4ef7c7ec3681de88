"""mmc evaluate writes its figures in three forms, and checks everything before it measures."""

import json

import pytest

from mm_core.cli import evaluate
from mm_core.evaluation.markdown import END, begin
from mm_core.evaluation.measures import MEASURES
from mm_core.evaluation.suite import Run


@pytest.fixture(autouse=True)
def _one_run(monkeypatch):
    """One section of one cheap run."""
    monkeypatch.setattr(
        evaluate, "SECTIONS", {"main": lambda: [Run("main", "text", {"text": 3.0})]}
    )


TINY = ("evaluate", "--n", "8", "--seeds", "1", "--steps", "1")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--sections", "man"], "--sections man: needed a value among main"),
        (["--sections", ","], "--sections ',': needed a value among main"),
        (["--json", "folder"], "--json folder is a folder"),
        (["--n", "7"], "--n 7: needed a value between 8 and 10000"),
        (["--seeds", "0"], "--seeds 0: needed a value between 1 and 100"),
        (["--steps", "0"], "steps is 0; it must be between 1 and 1000"),
        (["--model", "none.safetensors"], "none.safetensors: found no file"),
        (["--markdown", "none.md"], "--markdown none.md: cannot be read"),
        (["--markdown", "plain.md"], "--markdown plain.md lacks the lines"),
        (["--markdown", "binary.md"], "--markdown binary.md: is not text in UTF-8"),
        (["--html", "plain.md/a.html"], "choose a folder that you may write to"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_measured(refused, tmp_path, arguments, words):
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain.md").write_text("no marks")
    (tmp_path / "binary.md").write_bytes(b"\xff\xfe\x00")
    refused(words, "evaluate", *arguments)


def test_figures_are_written_as_json_page_and_document(mmc, tmp_path):
    (tmp_path / "a.md").write_text(f"before\n{begin(['main'])}\nold\n{END}\nafter\n")
    outcome = mmc(*TINY, "--json", "a.json", "--html", "a.html", "--markdown", "a.md")
    assert outcome.code == 0, outcome.err
    result = json.loads((tmp_path / "a.json").read_text())
    assert (result["scenes"], result["steps"]) == (8, 1)
    assert [r["name"] for r in result["runs"]] == ["text"]
    assert result["runs"][0]["measures"].keys() == result["ceiling"].keys() == set(MEASURES)
    assert "<h2>main</h2>" in (tmp_path / "a.html").read_text()
    document = (tmp_path / "a.md").read_text()
    assert document.startswith("before\n")
    assert document.endswith("after\n")
    assert "### main" in document
    assert "old" not in document


def test_json_goes_to_standard_output_and_reports_to_the_other(mmc):
    outcome = mmc(*TINY, "--json", "-")
    assert json.loads(outcome.out)["sampler"] == "euler"
    assert outcome.err.startswith("main: text: ")
