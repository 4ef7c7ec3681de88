"""mmc train prior: what it hands on, and what it refuses."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

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


def test_one_fit_to_pairs_has_the_whole_budget(mmc, handed, tmp_path):
    save_pairs(tmp_path / "p", 3)
    outcome = mmc("train", "prior", "--pairs", "p", "--minutes", "10")
    assert handed[0][3].diffusion.minutes == 10.0
    assert "p has no empty.safetensors, so no text is dropped, though drop is 0.1" in outcome.err


@pytest.mark.parametrize("kind", ["diffusion", "autoregressive"])
def test_nothing_is_said_where_texts_are_dropped_or_not_meant_to_be(mmc, handed, tmp_path, kind):
    """An autoregressive prior has learned nulls in place of the empty text."""
    save_pairs(tmp_path / "p", 3)
    (tmp_path / "a.json").write_text('{"drop": 0.0}')
    given = ["--config", "a.json"] if kind == "diffusion" else []
    assert mmc("train", "prior", "--pairs", "p", "--kind", kind, *given).err == ""


def save_pairs(folder, count, number=0.5):
    folder.mkdir()
    rows = torch.arange(count)[:, None] + torch.full((count, 8), number)
    save_file(
        {
            "image_embeds": rows,
            "text_embeds": rows.clone(),
            "text_tokens": rows[:, None].clone(),
            "text_mask": torch.ones(count, 1).bool(),
        },
        folder / "a.safetensors",
    )


def test_pairs_make_one_prior(mmc, handed, tmp_path):
    save_pairs(tmp_path / "p", 3)
    outcome = mmc("train", "prior", "--pairs", "p", "--kind", "autoregressive")
    assert outcome.code == 0, outcome.err
    assert handed[0][1:3] == (Path("p"), "autoregressive")
    assert handed[0][0].vectors[:, 0].tolist() == [0.5, 1.5, 2.5]
    mmc("train", "prior", "--pairs", "p")
    assert handed[1][2] == "diffusion"


@pytest.mark.parametrize(
    ("count", "number", "words"),
    [
        (3, float("nan"), "p/a.safetensors: image_embeds has numbers that are not finite"),
        (1, 0.5, "p: needed 2 or more pairs, found 1"),
        (0, 0.5, "p: needed 2 or more pairs, found 0"),
    ],
)
def test_pairs_that_cannot_be_learned_from_are_refused_and_nothing_is_written(
    refused, tmp_path, count, number, words
):
    save_pairs(tmp_path / "p", count, number)
    refused(words, "train", "prior", "--pairs", "p", "--work", "w", "--out", "o")
