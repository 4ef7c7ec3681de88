"""mmc train: what it hands on, and what it refuses. The recipe itself is tested beside it."""

import json
from pathlib import Path

import pytest

from mm_core.cli import train
from mm_core.training.embedded.config import Recipe


@pytest.fixture
def handed(monkeypatch):
    """Takes the place of training, and holds what it was called with."""
    calls = []

    def called(recipe, work, out, report, start=None):
        report("step 1")
        calls.append((recipe, start))
        return {"autoencoder_psnr_db": 33.0}

    monkeypatch.setattr("mm_core.training.embedded.recipe.train_embedded", called)
    return calls


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--config", "none.json"], "cannot read the recipe none.json: No such file"),
        (["--config", "list.json"], "list.json must be a table, not list"),
        (["--threads", "-5"], "--threads -5: needed a value of at least 0"),
        (["--minutes", "0"], "--minutes 0: needed a number above 0"),
        (["--minutes", "nan"], "--minutes nan: needed a number above 0"),
        (["--out", "list.json"], "--out list.json is a file; give a folder"),
        (["--work", "list.json/work"], "choose a folder that you may write to"),
        (["--start", "."], "--start .: there is no embedded.safetensors in it; needed the --out"),
    ],
)
def test_what_cannot_be_is_refused_before_any_training(mmc, tmp_path, handed, arguments, words):
    (tmp_path / "list.json").write_text("[]")
    outcome = mmc("train", "embedded", *arguments)
    assert outcome.code == 2
    assert words in outcome.err
    assert outcome.err.count("\n") == 1
    assert handed == []


def test_the_recipe_is_handed_on_and_written_beside_the_work(mmc, tmp_path, handed):
    (tmp_path / "a.json").write_text('{"seed": 7}')
    outcome = mmc("train", "embedded", "--config", "a.json", "--work", "w", "--out", "o")
    assert outcome.code == 0
    assert handed[0][0] == Recipe(seed=7)
    assert json.loads((tmp_path / "w" / "recipe.json").read_text()) == Recipe(seed=7).as_dict()
    assert outcome.out == "autoencoder_psnr_db: 33.0\no\n"


def test_minutes_are_shared_among_the_networks(mmc, handed):
    mmc("train", "embedded", "--minutes", "100")
    recipe = handed[0][0]
    shares = [s.minutes for s in (recipe.autoencoder, recipe.oracle, recipe.denoiser)]
    assert sum(shares) == pytest.approx(100)
    assert shares == sorted(shares)


def test_a_model_trained_further_gets_all_minutes_for_its_denoiser(mmc, tmp_path, handed):
    (tmp_path / "earlier").mkdir()
    for name in ("embedded.safetensors", "oracle.safetensors"):
        (tmp_path / "earlier" / name).touch()
    mmc("train", "embedded", "--minutes", "100", "--start", "earlier")
    recipe, start = handed[0]
    assert recipe.denoiser.minutes == 100
    assert recipe.oracle == Recipe().oracle
    assert start == Path("earlier")


def test_progress_is_a_line_each_ten_seconds_where_nobody_watches(capsys, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(train.time, "monotonic", lambda: now[0])
    line = train._Line()
    for text, later in (("a", 1), ("b", 8), ("c", 2)):
        line(text)
        now[0] += later
    now[0] += 1
    line("d")
    assert capsys.readouterr().err == "a\nd\n"


def test_a_start_that_is_not_there_is_refused_before_anything_is_written(refused):
    refused("--start none: needed the --out folder", "train", "embedded", "--start", "none")
