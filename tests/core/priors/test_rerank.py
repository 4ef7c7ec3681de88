"""The nearest of several attempts."""

import pytest
import torch
import torch.nn.functional as F

from mm_core.errors import InputError
from mm_core.priors.noise import candidate_seed
from mm_core.priors.prior import Request
from mm_core.priors.rerank import best_of, nearest


def test_the_candidate_with_the_largest_cosine_is_kept():
    sentence = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    candidates = torch.tensor([[[9.0, 9.0], [0.1, 0.0]], [[0.0, 1.0], [5.0, 5.0]]])
    assert torch.equal(nearest(candidates, sentence), torch.tensor([[0.1, 0.0], [0.0, 1.0]]))


def test_one_attempt_is_the_prior_itself(diffusion, texts):
    asked = texts(2), Request((1, 2), 4, 2.0), texts(1, seed=3)
    assert torch.equal(best_of(diffusion, 1, *asked).vectors, diffusion.sample(*asked).vectors)


def test_more_attempts_are_the_best_of_single_ones(diffusion, texts):
    text, negative, request = texts(2), texts(1, seed=3), Request((1, 2), 4, 2.0)
    kept = best_of(diffusion, 3, text, request, negative).vectors
    singles = [
        diffusion.sample(
            text, Request(tuple(candidate_seed(s, k) for s in (1, 2)), 4, 2.0), negative
        ).vectors
        for k in range(3)
    ]
    cosines = torch.stack([F.cosine_similarity(s, text.pooled) for s in singles])
    for image, k in enumerate(cosines.argmax(0).tolist()):
        torch.testing.assert_close(kept[image], singles[k][image], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(F.cosine_similarity(kept, text.pooled), cosines.amax(0))


def test_a_negative_text_for_each_image_stays_with_its_image(laion, texts):
    text, negative = texts(2), texts(2, seed=3)
    request = Request((1, 2), 5, 3.0)
    assert torch.equal(
        best_of(laion, 1, text, request, negative).vectors,
        laion.sample(text, request, negative).vectors,
    )
    assert best_of(laion, 2, text, request, negative).unit


def test_too_many_or_no_attempts_are_refused(diffusion, texts):
    for count in (0, 65):
        with pytest.raises(InputError, match=f"candidates is {count}; it must be between 1 and 64"):
            best_of(diffusion, count, texts(1), Request((1,)))
