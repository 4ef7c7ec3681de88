"""All stages on few scenes, a folder of pairs, and work that belongs to another recipe."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from mm_core.embedded.prior import load_priors
from mm_core.errors import InputError
from mm_core.priors.about import about_file
from mm_core.priors.diffusion import DiffusionPrior
from mm_core.priors.load import load_prior
from mm_core.priors.prior import Request
from mm_core.training.embedded.config import Stage
from mm_core.training.priors.config import Network
from mm_core.training.priors.pairs import Pairs, read_pairs
from mm_core.training.priors.recipe import NAME, train_embedded_priors, train_on_pairs
from mm_core.weights.load import read_header


@pytest.fixture(scope="module")
def recipe(small):
    stage = Stage(8, 2, 1e-3)
    return replace(small, tower=stage, diffusion=stage, autoregressive=stage)


@pytest.fixture(scope="module")
def made(shipped, recipe, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    lines = []
    train_embedded_priors(shipped, recipe, folder / "work", folder / "out", lines.append, 8)
    return folder, lines


def test_the_file_holds_priors_that_can_be_asked(made, shipped, recipe):
    priors, header = load_priors(made[0] / "out" / NAME)
    steps = {"tower": 2, "diffusion": 2, "autoregressive": 2}
    assert header.figures["held_out_captions"] == 8
    assert all(-1 <= c <= 1 for c in header.figures["cosine"].values())
    assert header.recipe == {**recipe.as_dict(), "steps_run": steps}
    text = priors.encode(shipped.text, ["a red circle on stripes"])
    for prior in priors.priors.values():
        assert prior.sample(text, Request((1,), 3, 1.0)).vectors.shape == (1, 128)


def test_scenes_are_told_of_while_they_are_made(made):
    assert made[1][0] == "scenes  256 of 256"


def test_a_finished_run_started_again_gives_the_same_weights(made, shipped, recipe, tmp_path):
    train_embedded_priors(shipped, recipe, made[0] / "work", tmp_path, lambda line: None, 8)
    before, after = (load_file(f / NAME) for f in (made[0] / "out", tmp_path))
    assert before.keys() == after.keys()
    assert all(torch.equal(t, after[n]) for n, t in before.items())


def test_work_of_another_recipe_is_refused(made, shipped, recipe, tmp_path):
    with pytest.raises(InputError, match="seed is 9 now and was 2000; choose another --work"):
        train_embedded_priors(
            shipped, replace(recipe, seed=9), made[0] / "work", tmp_path, lambda line: None
        )
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize("kind", ["diffusion", "autoregressive"])
def test_a_folder_of_pairs_becomes_a_prior_of_its_space(turned, recipe, tmp_path, kind):
    pairs, _ = turned
    tensors = {
        "image_embeds": pairs.vectors,
        "text_embeds": pairs.text.pooled,
        "text_tokens": pairs.text.tokens,
        "text_mask": pairs.text.mask.long(),
    }
    (tmp_path / "pairs").mkdir()
    save_file(tensors, tmp_path / "pairs" / "a.safetensors")
    folder = tmp_path / "pairs"
    train_on_pairs(
        read_pairs(folder), folder, kind, recipe, tmp_path / "w", tmp_path / "o", lambda line: None
    )
    prior = load_prior(tmp_path / "o" / NAME)
    assert isinstance(prior, DiffusionPrior) == (kind == "diffusion")
    text, _ = pairs.rows(torch.arange(2))
    assert prior.sample(text, Request((1, 2), 3, 1.0)).vectors.shape == (2, 8)


def fitted(pairs, kind, recipe, folder, quiet):
    """Weights, header and prior of a fit."""
    train_on_pairs(pairs, folder, kind, recipe, folder / "w", folder / "o", quiet)
    path = folder / "o" / NAME
    return load_file(path), read_header(path), load_prior(path)


def test_without_an_empty_text_no_text_is_dropped_and_the_file_says_so(
    turned, recipe, tmp_path, quiet
):
    """The weights are those of drop 0, bit for bit."""
    pairs, made = Pairs(turned[0].text, turned[0].vectors), []
    for drop in (0.5, 0.0):
        (folder := tmp_path / str(drop)).mkdir()
        made.append(fitted(pairs, "diffusion", replace(recipe, drop=drop), folder, quiet))
        assert "drop 0.0" in about_file(folder / "o" / NAME)
        assert "no text was dropped in training" in about_file(folder / "o" / NAME)
    (some, header, prior), (none, _, _) = made
    assert all(torch.equal(some[n], none[n]) for n in some)
    assert (header.recipe["drop"], header.recipe["empty"]) == (0.0, False)
    text, _ = pairs.rows(torch.arange(1))
    with pytest.raises(InputError, match="guidance 2 has nothing to move away from"):
        prior.sample(text, Request((1,), 3, 2.0))
    prior.sample(text, Request((1,), 3, 2.0), pairs.rows(torch.arange(1, 2))[0])


@pytest.mark.parametrize("kind", ["diffusion", "autoregressive"])
@pytest.mark.parametrize("drop", [0.0, 0.3])
def test_guidance_follows_what_was_dropped(turned, recipe, tmp_path, kind, drop, quiet):
    pairs = turned[0]
    _, header, prior = fitted(pairs, kind, replace(recipe, drop=drop), tmp_path, quiet)
    assert header.recipe["drop"] == drop
    asked = Request((1,), 3, 2.0)
    text, _ = pairs.rows(torch.arange(1))
    said = "was trained without dropping" if drop == 0 else 'needs a negative text.* encode ""'
    if drop == 0 or kind == "diffusion":
        with pytest.raises(InputError, match=said):
            prior.sample(text, asked)
    else:
        prior.sample(text, asked)


def test_a_header_holds_what_acted_on_its_prior_alone(turned, recipe, tmp_path, quiet):
    network = {"width": 32, "heads": 2, "layers": 1}
    stage = {"batch": 8, "steps": 2, "rate": 1e-3, "decay": 0.5, "average": 0.999,
             "optimizer": "adamw"}  # fmt: skip
    common = {"seed": 2000, "drop": 0.1, "pairs": 512, "empty": True}
    own = {
        "diffusion": {"limit": 10.0, "diffusion_network": network},
        # 8 codes, as wide as the space is, whatever was asked for
        "autoregressive": {
            "soft": 0.7, "autoregressive_network": network | {"codes": 8, "buckets": 32}
        },
    }  # fmt: skip
    wide = replace(recipe, autoregressive_network=Network(32, 2, 1, codes=64, buckets=32))
    for kind, told in own.items():
        (tmp_path / kind).mkdir()
        _, header, _ = fitted(turned[0], kind, wide, tmp_path / kind, quiet)
        assert header.recipe == common | told | {kind: stage, "steps_run": {kind: 2}}


def test_a_text_to_drop_that_came_later_needs_another_work_folder(turned, recipe, tmp_path, quiet):
    """Or half of the steps would have been run without dropping any."""
    fitted(Pairs(turned[0].text, turned[0].vectors), "diffusion", recipe, tmp_path, quiet)
    with pytest.raises(InputError, match=r'with the text "".* and was .* without the text ""'):
        fitted(turned[0], "diffusion", recipe, tmp_path, quiet)


@pytest.mark.parametrize("kind", ["diffusion", "autoregressive"])
def test_two_pairs_are_enough_and_a_training_that_diverged_writes_no_prior(
    turned, recipe, tmp_path, kind, quiet
):
    pairs = Pairs(*turned[0].rows(torch.arange(2)), turned[0].empty)
    train_on_pairs(pairs, tmp_path, kind, recipe, tmp_path / "w", tmp_path / "o", quiet)
    assert all(torch.isfinite(t).all() for t in load_file(tmp_path / "o" / NAME).values())
    wild = replace(recipe, **{kind: Stage(8, 3, 1e38, optimizer="adamw")})
    with pytest.raises(InputError, match=r"diverged: .* lower the rate, which is 1e\+38"):
        train_on_pairs(pairs, tmp_path, kind, wild, tmp_path / "w2", tmp_path / "o2", quiet)
    assert not (tmp_path / "o2").exists()
