"""The ways that are compared: the linear map is the textbook's, and means are the prior's own."""

import pytest
import torch

from mm_core.embedded.prior import load_priors
from mm_core.evaluation.bench.priors import HELD_OUT_SEED, held
from mm_core.evaluation.bench.priors_ways import MEAN, fit_linear, ways
from mm_core.priors.prior import Request


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


@pytest.fixture(scope="module")
def priors():
    return load_priors()[0]


def test_the_mean_is_what_many_samples_of_the_shipped_prior_come_to(shipped, priors):
    """Sixteen samples of a caption: their mean is nearer to the one step than any of them."""
    text = held(shipped, priors, 4, HELD_OUT_SEED, full=True).text
    by_name = {w.name: w for w in ways(priors, lambda s: s, 1.0, priors.encode(shipped.text, [""]))}
    mean = by_name[MEAN].give(text, [0, 1, 2, 3]).vectors
    request = Request(tuple(range(16)) * 4, 10, 1.0)
    samples = (
        priors.priors["diffusion"].sample(text.repeated(16), request).vectors.unflatten(0, (4, 16))
    )
    apart = torch.linalg.vector_norm
    average = apart(samples.mean(1) - mean, dim=1)
    single = apart(samples - mean[:, None], dim=2)
    assert (average < 0.5 * single.min(1).values).all()
