"""mmc bench prior: everything checked before it measures, figures where they were asked for."""

import json

import pytest
import torch
from PIL import Image

from mm_core.cli.bench_prior import PARTS, Part
from mm_core.evaluation.bench import priors
from mm_core.evaluation.bench.priors_table import BEGIN
from mm_core.evaluation.markdown import END


@pytest.fixture
def quick(monkeypatch):
    """Nothing is measured; the numbers of captions and of pictures that would be."""
    calls = []

    def compared(model, loaded, judge, count, painted, on_step):
        calls.append((count, painted))
        return {"captions": count, "painted": painted, "threads": 1, "ways": [], "attempts": {}}

    monkeypatch.setattr(priors, "compare", compared)
    return calls


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--n", "6"], "--n 6: needed a value between 8 and 10000 that 4 divides"),
        (["--steps", "25"], "--steps 25 is of other benchmarks; take the option away"),
        (["--json", "folder"], "--json folder is a folder"),
        (["--markdown", "plain.md"], "--markdown plain.md lacks the lines '<!-- bench: prior"),
        (["--parts", "ways,magic"], "--parts magic: needed a value among ways, words, variations"),
        (["--parts", ","], "--parts ',': needed a value among ways, words"),
        (["--image", "a.png"], "--image a.png is of one part that shows pictures; choose it by"),
        (["--parts", "words,mixes", "--image", "a.png"], "is of one part that shows pictures"),
        (["--parts", "words", "--image", "a.gif"], "the name must end in .png, .jpg, .jpeg"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_measured(
    refused, quick, tmp_path, arguments, words
):
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain.md").write_text("no marks")
    refused(words, "bench", "prior", *arguments)
    assert quick == []


def test_figures_go_to_the_document_and_the_file(mmc, quick, tmp_path):
    (tmp_path / "a.md").write_text(f"before\n{BEGIN['ways']}\nold\n{END}\nafter\n")
    outcome = mmc("bench", "prior", "--n", "80", "--json", "a.json", "--markdown", "a.md")
    assert outcome.code == 0, outcome.err
    assert quick == [(80, 64)]
    result = json.loads((tmp_path / "a.json").read_text())
    assert result["parts"]["ways"]["captions"] == 80
    assert result["command"] == "mmc bench prior --n 80 --markdown a.md"
    assert "80 held-out captions" in (tmp_path / "a.md").read_text()


def test_without_a_file_the_table_is_shown(mmc, quick, files):
    outcome = mmc("bench", "prior", "--n", "8")
    assert "8 held-out captions" in outcome.err
    assert files() == []


@pytest.mark.parametrize(("name", "kind"), [("a.jpg", "JPEG"), ("a.png", "PNG")])
def test_a_part_s_pictures_go_to_their_file(mmc, monkeypatch, tmp_path, name, kind):
    mixed = {"pairs": 2, "ways": [], "words": []}
    rows = [("grey", [("from", torch.full((3, 128, 128), 0.5))] * 2)]
    part = Part("Mixes", lambda n: n // 4, lambda m, p, o, n, tick: (tick(), (mixed, rows))[1])
    monkeypatch.setitem(PARTS, "mixes", part)
    (tmp_path / "a.md").write_text(f"{BEGIN['mixes']}\n{END}\n")
    asked = ("--parts", "mixes", "--n", "8", "--image", name, "--markdown", "a.md")
    outcome = mmc("bench", "prior", *asked)
    assert outcome.code == 0, outcome.err
    picture = Image.open(tmp_path / name)
    assert picture.format == kind
    assert picture.getpixel((50, 100)) == pytest.approx((128, 128, 128), abs=2)
    assert (
        f"`mmc bench prior {' '.join(asked[:4])} --markdown a.md --image {name}`"
        in (tmp_path / "a.md").read_text()
    )
