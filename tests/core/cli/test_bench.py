"""mmc bench: parts by name, everything checked before it measures, nothing half-written."""

import json

import pytest
from PIL import Image

from mm_core.cli import bench
from mm_core.evaluation.bench.tables import begin
from mm_core.evaluation.markdown import END

WORLD = {"inputs": 2, "method": "fast", "rows": 1.2, "error": 0.004, "distance": 0.01}


@pytest.fixture
def quick(monkeypatch):
    """The part `oracle` measured by nobody; the list of its calls."""
    calls = []

    def measured(given):
        calls.append(given.steps)
        return {"steps": 30, "methods": [WORLD]}

    monkeypatch.setitem(bench.MEASURE, "oracle", measured)
    return calls


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--parts", "oracle,orakel"], "--parts orakel: needed a value among oracle, embedded"),
        (["--parts", ","], "--parts ',': needed a value among oracle"),
        (["--n", "12"], "--n 12: needed a value between 8 and 10000 that 8 divides"),
        (["--steps", "3"], "--steps 3: needed a value between 4 and 1000"),
        (["--peer", "folder"], "--peer folder: needed a value that is a folder of a pack"),
        (["--steps", "0"], "--steps 0: needed a value between 4 and 1000"),
        (["--image", "a.png"], "--image a.png: guidance has no picture; leave it out"),
        (["--json", "folder"], "--json folder is a folder"),
        (["--markdown", "none.md"], "--markdown none.md: cannot be read"),
        (["--markdown", "plain.md"], "--markdown plain.md lacks the lines '<!-- bench: oracle"),
        (["--markdown", "folder"], "--markdown folder: is no file"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_measured(
    refused, quick, tmp_path, arguments, words
):
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain.md").write_text("no marks")
    refused(words, "bench", "guidance", "--parts", "oracle", *arguments)
    assert quick == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--parts", "oracle"], "--parts oracle: style has no parts; leave it out"),
        (["--n", "24"], "--n 24: needed a value between 16 and 10000 that 16 divides"),
        (["--image", "folder"], "--image folder is a folder"),
    ],
)
def test_what_style_cannot_do_is_refused_before_anything_is_measured(
    refused, monkeypatch, tmp_path, arguments, words
):
    (tmp_path / "folder").mkdir()
    monkeypatch.setitem(bench.MEASURE, "style", lambda given: pytest.fail("measured"))
    refused(words, "bench", "style", *arguments)


def test_style_becomes_a_picture_a_table_and_json(mmc, monkeypatch, tmp_path):
    style = bench.style
    points = (style.two_weights(3.0, 2.5), style.one_cfg(3.0, 1.0))
    monkeypatch.setattr(style, "POINTS", points)
    (tmp_path / "a.md").write_text(f"{begin('style')}\nold\n{END}\n")
    arguments = ("--n", 16, "--steps", 4, "--markdown", "a.md", "--image", "b/a.png")
    outcome = mmc("bench", "style", *arguments, "--json", "a.json")
    assert outcome.code == 0, outcome.err
    result = json.loads((tmp_path / "a.json").read_text())
    assert [p["curve"] for p in result["parts"]["style"]["points"]] == [p.curve for p in points]
    assert result["command"] == "mmc bench style " + " ".join(map(str, arguments))
    document = (tmp_path / "a.md").read_text()
    assert "| leave_one_out, text 3 | 2.5 |" in document
    assert "old" not in document
    with Image.open(tmp_path / "b" / "a.png") as picture:
        assert (picture.format, picture.width) == ("PNG", 1000)


def test_style_has_its_own_number_of_steps(mmc, monkeypatch):
    asked = []

    def measured(given):
        asked.append((given.n, given.steps))
        raise KeyboardInterrupt

    monkeypatch.setitem(bench.MEASURE, "style", measured)
    assert mmc("bench", "style").code == 130
    assert asked == [(96, 16)]


def test_another_subject_is_refused(refused):
    refused("invalid choice: 'sampling'", "bench", "sampling")


def test_figures_are_written_as_json_and_into_the_document(mmc, quick, tmp_path):
    (tmp_path / "a.md").write_text(f"before\n{begin('oracle')}\nold\n{END}\nafter\n")
    outcome = mmc(
        "bench", "guidance", "--parts", "oracle", "--json", "a.json", "--markdown", "a.md"
    )
    assert outcome.code == 0, outcome.err
    result = json.loads((tmp_path / "a.json").read_text())
    assert result["parts"] == {"oracle": {"steps": 30, "methods": [WORLD]}}
    assert result["command"] == "mmc bench guidance --parts oracle --markdown a.md"
    document = (tmp_path / "a.md").read_text()
    assert document.startswith("before\n")
    assert document.endswith("after\n")
    assert "| fast | 1.20 |" in document
    assert "old" not in document


def test_without_a_file_the_tables_are_shown(mmc, quick, files):
    outcome = mmc("bench", "guidance", "--parts", "oracle")
    assert "| fast | 1.20 |" in outcome.err
    assert files() == []


def test_no_comfyui_is_said_and_the_rest_is_measured(mmc, quick, monkeypatch, tmp_path):
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path / "none"))
    outcome = mmc("bench", "guidance", "--parts", "comfyui,oracle", "--json", "-")
    assert outcome.code == 0
    assert json.loads(outcome.out)["parts"].keys() == {"oracle"}
    assert outcome.err.startswith("part comfyui left out: no ComfyUI at ")


@pytest.mark.parametrize("given", [True, False])
def test_the_peer_is_passed_on_and_its_folder_is_not_written_down(
    mmc, monkeypatch, tmp_path, given
):
    told = []

    def measured(host, script, arguments):
        told.append((script.name, *arguments))
        return {"peer": None}

    monkeypatch.setattr(bench.comfyui, "find", lambda part: tmp_path)
    monkeypatch.setattr(bench.comfyui, "measure", measured)
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").touch()
    peer = ["--peer", "pack"] if given else []
    outcome = mmc("bench", "guidance", "--parts", "image_prompts", *peer, "--json", "-")
    assert outcome.code == 0, outcome.err
    folder = ("--peer", str(tmp_path / "pack")) if given else ()
    assert told == [("ip_adapter_cost.py", *folder)]
    command = "mmc bench guidance --parts image_prompts" + (" --peer DIR" if given else "")
    assert json.loads(outcome.out)["command"] == command


def test_cancelling_leaves_the_document_as_it_was(mmc, monkeypatch, tmp_path):
    def cancelled(given):
        raise KeyboardInterrupt

    monkeypatch.setitem(bench.MEASURE, "oracle", cancelled)
    text = f"{begin('oracle')}\nold\n{END}\n"
    (tmp_path / "a.md").write_text(text)
    assert mmc("bench", "guidance", "--parts", "oracle", "--markdown", "a.md").code == 130
    assert (tmp_path / "a.md").read_text() == text


def test_the_parts_are_measured_by_what_they_are_named_after(monkeypatch):
    asked = []

    def compared(*arguments):
        asked.append(arguments[2:4])
        return []

    monkeypatch.setattr(bench.embedded, "compare", compared)
    monkeypatch.setattr(bench.embedded, "keep_by_space", lambda *a: [])
    monkeypatch.setattr(bench.embedded, "time_side_by_side", lambda *a: {})
    given = bench.argparse.Namespace(n=16, steps=7, model=bench.SHIPPED)
    found = bench.MEASURE["embedded"](given)
    assert asked == [(16, 7)]
    assert (found["scenes"], found["groups"], found["steps"]) == (16, 2, 7)
