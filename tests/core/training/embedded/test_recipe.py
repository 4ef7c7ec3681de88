"""The whole recipe in miniature: it makes both files, and can be stopped anywhere."""

import os
from dataclasses import replace
from functools import partial

import pytest
import torch

from mm_core.embedded.generate import Settings
from mm_core.embedded.weights import load_embedded
from mm_core.errors import InputError
from mm_core.evaluation.suite import Suite
from mm_core.evaluation.weights import load_oracle
from mm_core.training.embedded import export as exporting
from mm_core.training.embedded import recipe as module
from mm_core.training.embedded import shards
from mm_core.training.embedded.config import Recipe, Stage
from mm_core.training.embedded.recipe import step_rng, train_embedded

COUNT = 8
TINY = Recipe(
    seed=4,
    scenes=32,
    autoencoder=Stage(2, 2, 1e-3),
    oracle=Stage(2, 2, 1e-3),
    denoiser=Stage(2, 2, 1e-3),
)


@pytest.fixture(autouse=True, scope="module")
def _small():
    """Small shards, one take of each sound, and figures from few pictures in one step."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "SHARD", 16)
        patch.setattr(module.denoiser_stage, "SOUNDS_PER_CLASS", 1)
        patch.setattr(module, "export", partial(exporting.export, count=COUNT))
        patch.setattr(exporting, "Suite", partial(Suite, settings=Settings(steps=1)))
        yield


class StopError(Exception):
    """Ends a run from outside, as Ctrl-C would."""


def run(folder, report=lambda line: None):
    return train_embedded(TINY, folder / "work", folder / "out", report)


def stopping_at(word):
    def report(line):
        if word in line:
            raise StopError

    return report


@pytest.fixture(scope="module")
def made(_small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    return folder, run(folder)


def test_both_files_load(made):
    load_embedded(made[0] / "out" / "embedded.safetensors")
    load_oracle(made[0] / "out" / "oracle.safetensors")


def without(*names):
    return {n: v for n, v in TINY.as_dict().items() if n not in names}


OF_DENOISER = ("dropout", "independent_rate", "object_weight", "object_weight_end",
               "object_weight_until", "probe_weight", "probe_start_step")  # fmt: skip


def test_headers_hold_what_made_their_networks_and_the_steps_that_were_run(made):
    """Dropout was structured, so the rate of the independent one did nothing."""
    model = load_embedded(made[0] / "out" / "embedded.safetensors")[1]
    oracle = load_oracle(made[0] / "out" / "oracle.safetensors")[1]
    steps = {"autoencoder": 2, "denoiser": 2}
    assert model.recipe == {**without("oracle", "independent_rate"), "steps_run": steps}
    kept = without("autoencoder", "denoiser", *OF_DENOISER)
    assert oracle.recipe == {**kept, "steps_run": {"oracle": 2}}


def test_the_rate_of_independent_dropout_is_told_where_it_acted():
    assert "independent_rate" in replace(TINY, dropout="independent").acted(["denoiser"])


def test_the_header_holds_the_figures_that_are_returned(made):
    header = load_embedded(made[0] / "out" / "embedded.safetensors")[1]
    assert header.figures == made[1]
    assert header.figures["held_out_scenes"] == COUNT


@pytest.mark.parametrize("word", ["scenes 32", "latents 1", "measuring"])
def test_a_run_that_is_stopped_leaves_nothing_half_written_and_goes_on(made, tmp_path, word):
    with pytest.raises(StopError):
        run(tmp_path, stopping_at(word))
    left = [name for _, _, files in os.walk(tmp_path) for name in files]
    assert not [name for name in left if name.startswith(".")]
    assert "embedded.safetensors" not in left
    if word != "measuring":
        return
    run(tmp_path)
    whole, resumed = (
        load_embedded(f / "out" / "embedded.safetensors")[0] for f in (made[0], tmp_path)
    )
    for name, value in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value)


@pytest.fixture(scope="module")
def further(made, tmp_path_factory):
    """Trained on from the first run, with another seed and in a new place."""
    folder = tmp_path_factory.mktemp("further")
    train_embedded(replace(TINY, seed=5), folder / "w", folder / "o", print, made[0] / "out")
    return folder


def test_a_model_that_is_trained_further_keeps_its_oracle_and_autoencoder(made, further):
    before, after = made[0] / "out", further / "o"
    assert (before / "oracle.safetensors").read_bytes() == (
        after / "oracle.safetensors"
    ).read_bytes()
    old, new = (load_embedded(f / "embedded.safetensors")[0] for f in (before, after))
    for name, value in old.autoencoder.state_dict().items():
        assert torch.equal(new.autoencoder.state_dict()[name], value)
    assert not torch.equal(old.denoiser.place, new.denoiser.place)


def test_its_header_says_what_it_started_from(made, further):
    header = load_embedded(further / "o" / "embedded.safetensors")[1]
    assert header.recipe["started_from"]["seed"] == TINY.seed
    assert header.recipe["seed"] == 5
    assert header.recipe["steps_run"] == {"denoiser": 2}
    assert not {"autoencoder", "oracle"} & header.recipe.keys()


@pytest.mark.parametrize(
    ("recipe", "start", "words"),
    [
        (replace(TINY, seed=6), False, "seed is 6 now and was 4"),
        (replace(TINY, denoiser=Stage(3, 2, 1e-3)), False, "denoiser is"),
        (TINY, True, "start is"),
    ],
)
def test_a_work_folder_of_another_recipe_is_refused(made, tmp_path, recipe, start, words):
    folder = made[0]
    with pytest.raises(InputError, match=f"{words}.*choose another --work"):
        train_embedded(
            recipe, folder / "work", tmp_path / "o", print, folder / "out" if start else None
        )
    assert not (tmp_path / "o").exists()


def test_a_run_may_be_given_more_time(made):
    longer = replace(TINY, denoiser=replace(TINY.denoiser, steps=9, minutes=5.0))
    module.same_work(longer, made[0] / "work", None)


def test_a_step_draws_the_same_whenever_it_is_run():
    draws = [torch.rand(3, generator=step_rng(*at)).tolist() for at in ((4, 7), (4, 7), (4, 8))]
    assert draws[0] == draws[1] != draws[2]
