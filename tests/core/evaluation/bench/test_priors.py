"""The comparison of ways from words to an embedding, on few scenes."""

import pytest
import torch

from mm_core.embedded.prior import load_priors
from mm_core.evaluation.bench.priors import HELD_OUT_SEED, STEPS, compare, fit_linear, held
from mm_core.priors.space import EMBEDDED


@pytest.fixture(scope="module")
def priors():
    return load_priors()[0]


@pytest.fixture(scope="module")
def found(priors, oracle, shipped):
    steps = []
    result = compare(shipped, priors, oracle, 16, 4, lambda: steps.append(1), 64)
    return result | {"steps": len(steps)}


def test_a_linear_map_is_found_where_there_is_one(noise):
    sentences, weight = noise(400, 5), noise(5, 3)
    vectors = sentences @ weight + 2 + 0.01 * noise(400, 3)
    fitted = fit_linear(sentences, vectors)
    new = noise(50, 5)
    torch.testing.assert_close(fitted(new), new @ weight + 2, rtol=0.1, atol=0.1)


def test_ridge_is_the_minimum_of_its_loss(noise):
    """Moving the answer either way costs more."""
    sentences, vectors = noise(30, 4), noise(30, 2)
    fitted = fit_linear(sentences, vectors)
    offset = fitted(torch.zeros(1, 4))
    weight = fitted(torch.eye(4)) - offset

    def loss(w):
        penalty = 1e-2 * 30 * sentences.square().mean()
        return (sentences @ w + offset - vectors).square().sum() + penalty * w.square().sum()

    least = loss(weight)
    for k in range(4):
        for sign in (-1, 1):
            moved = weight.clone()
            moved[k] += 0.01 * sign
            assert loss(moved) > least


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
    assert made[0]["name"] == "text straight through"
    assert made[0]["less_straight"]["value"] == 0
    for way in made:
        assert way["less_straight"]["value"] == pytest.approx(
            way["cosine"]["value"] - made[0]["cosine"]["value"], abs=2e-4
        )
        assert way["milliseconds"] > 0
        assert way["cosine"]["n"] == 16
        assert way["family"]["n"] == 4


def test_progress_comes_as_often_as_it_says(found):
    assert found["steps"] == STEPS


def test_held_out_captions_name_their_ground(shipped, priors):
    data = held(shipped, priors, 8, HELD_OUT_SEED, full=True)
    assert data.true.space == EMBEDDED
    assert len(data.text) == len(data.true) == len(data.scenes) == 8
