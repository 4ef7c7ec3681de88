"""The comparison of ways from words to an embedding, on few scenes."""

from types import SimpleNamespace

import pytest
import torch

from mm_core.embedded.prior import load_priors
from mm_core.evaluation.bench import priors as module
from mm_core.evaluation.bench.priors import (
    HELD_OUT_SEED,
    WAYS,
    compare,
    held,
    steps,
)
from mm_core.priors.prior import Request
from mm_core.priors.space import EMBEDDED


@pytest.fixture(scope="module")
def priors():
    return load_priors()[0]


@pytest.fixture(scope="module")
def found(priors, oracle, shipped):
    steps = []
    with pytest.MonkeyPatch.context() as quick:
        quick.setattr(module, "PAINT_STEPS", 2)
        result = compare(shipped, priors, oracle, 16, 4, lambda: steps.append(1), 64)
    return result | {"steps": len(steps)}


def test_true_embeddings_are_at_the_top_and_those_of_others_at_the_bottom(found):
    by_name = {way["name"]: way for way in found["ways"]}
    truth, chance = by_name["true embedding"], by_name["another scene's"]
    assert truth["cosine"]["value"] == 1
    assert truth["length"] == pytest.approx(1)
    assert truth["frechet"] == pytest.approx(0, abs=0.1)
    assert abs(chance["cosine"]["value"]) < 0.3
    for name, way in by_name.items():
        if name not in ("true embedding", "another scene's"):
            assert chance["cosine"]["value"] < way["cosine"]["value"] < 1


def test_every_way_is_measured_and_compared_with_none(found):
    made = [w for w in found["ways"] if "milliseconds" in w]
    assert len(made) == WAYS
    assert [w["name"] for w in made[:2]] == ["text straight through", "linear map"]
    for other, column in enumerate(("less_straight", "less_linear")):
        assert made[other][column] is None
        for way in made[other + 1 :]:
            assert way[column]["value"] == pytest.approx(
                way["cosine"]["value"] - made[other]["cosine"]["value"], abs=2e-4
            )
    for way in made:
        assert way["milliseconds"] > 0
        assert way["cosine"]["n"] == 4  # groups
        assert way["family"]["n"] == 1
    assert list(found["attempts"]) == ["diffusion", "diffusion, guidance 2", "autoregressive"]


def test_pieces_are_as_one(shipped, priors, monkeypatch):
    """A caption's embedding does not depend on the captions made with it."""
    data = held(shipped, priors, 12, HELD_OUT_SEED, full=True)
    diffusion = priors.priors["diffusion"]
    ticks = []

    def give(text, seeds):
        return diffusion.sample(text, Request(tuple(seeds), 3, 1.0))

    whole = give(data.text, list(range(12))).vectors
    monkeypatch.setattr(module, "PIECE", 5)
    found = module._in_pieces(give, data.text, lambda: ticks.append(1)).vectors
    torch.testing.assert_close(found, whole, rtol=1e-4, atol=1e-4)
    assert len(ticks) == 3
    assert steps(12) == 2 + 3 * WAYS


def test_the_time_is_of_the_fastest_call_for_each_embedding(priors, shipped, monkeypatch):
    """By a clock that says 80, 16 and 40 ms for the three calls of 8 embeddings."""
    clock = iter((0.0, 0.08, 1.0, 1.016, 2.0, 2.04))
    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    text = priors.encode(shipped.text, ["dots"] * 10)
    asked = []
    found = module._milliseconds(lambda few, seeds: asked.append((len(few), seeds)), text)
    assert found == pytest.approx(2.0)
    assert asked == [(8, list(range(8)))] * 3


def test_progress_comes_as_often_as_it_says(found):
    assert found["steps"] == steps(16)


def test_held_out_captions_name_their_ground(shipped, priors):
    data = held(shipped, priors, 8, HELD_OUT_SEED, full=True)
    assert data.true.space == EMBEDDED
    assert len(data.text) == len(data.true) == len(data.scenes) == 8
