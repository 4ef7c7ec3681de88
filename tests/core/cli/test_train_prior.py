"""mmc train prior: what it hands on, and what it refuses."""

from pathlib import Path

import pytest

from mm_core.training.priors.config import PriorRecipe


@pytest.fixture
def handed(monkeypatch):
    """Takes the place of training, and holds what it was called with."""
    calls = []
    place = "mm_core.training.priors.recipe"
    monkeypatch.setattr(f"{place}.train_embedded_priors", lambda *given: calls.append(given))
    monkeypatch.setattr(f"{place}.train_on_pairs", lambda *given: calls.append(given))
    return calls


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["prior", "--start", "."], "--start .: a prior has no earlier one; leave it out"),
        (["prior", "--minutes", "0"], "--minutes 0: needed a number above 0"),
        (["prior", "--kind", "diffusion"], "--kind diffusion: needed with --pairs only"),
        (["prior", "--config", "none.json"], "cannot read the recipe none.json"),
        (["prior", "--out", "list.json"], "--out list.json is a file; give a folder"),
        (["prior", "--threads", "-1"], "--threads -1: needed a value of at least 0"),
        (["embedded", "--pairs", "."], "--pairs: belongs to mmc train prior; leave it out"),
        (["priors"], "invalid choice: 'priors'"),
    ],
)
def test_what_cannot_be_is_refused_before_any_training(refused, handed, tmp_path, arguments, words):
    (tmp_path / "list.json").write_text("[]")
    refused(words, "train", *arguments)
    assert handed == []


def test_the_recipe_is_handed_on_and_written_beside_the_work(mmc, tmp_path, handed):
    (tmp_path / "a.json").write_text('{"seed": 7, "diffusion": {"steps": 3}}')
    outcome = mmc("train", "prior", "--config", "a.json", "--work", "w", "--out", "o")
    assert outcome.code == 0, outcome.err
    recipe = handed[0][1]
    assert (recipe.seed, recipe.diffusion.steps) == (7, 3)
    assert handed[0][2:4] == (Path("w"), Path("o"))
    assert '"seed": 7' in (tmp_path / "w" / "recipe.json").read_text()
    assert outcome.out == f"{Path('o') / 'prior.safetensors'}\n"


def test_a_budget_is_shared_among_the_fits(mmc, handed):
    mmc("train", "prior", "--minutes", "10")
    assert handed[0][1] == PriorRecipe().within(10.0)


def test_pairs_make_one_prior(mmc, handed):
    outcome = mmc("train", "prior", "--pairs", "p", "--kind", "autoregressive")
    assert outcome.code == 0, outcome.err
    assert handed[0][:2] == (Path("p"), "autoregressive")
    mmc("train", "prior", "--pairs", "p")
    assert handed[1][1] == "diffusion"
