"""Several pictures: as one, in one line, or one for each image of the batch."""

import math

import pytest
import torch

from mm_core.adapters.ip_adapter.attend import attention
from mm_core.adapters.ip_adapter.combine import (
    combine_features,
    concat_tokens,
    token_bias,
)
from mm_core.errors import InputError

FORMULAS = {
    "add": lambda a, b, c: a + b + c,
    "subtract": lambda a, b, c: a - (b + c) / 2,
    "average": lambda a, b, c: (a + b + c) / 3,
    "norm average": lambda a, b, c: (a + b + c) / 3 / (a**2 + b**2 + c**2).sqrt(),
}


@pytest.mark.parametrize("size", [(7,), (5, 7)], ids=["vectors", "tokens"])
@pytest.mark.parametrize("how", FORMULAS)
def test_a_combination_is_its_formula(noise, how, size):
    features = noise(3, *size)
    found = combine_features(features, how)
    torch.testing.assert_close(found, FORMULAS[how](*features)[None])


WEIGHTED = {
    "add": lambda a, b, c: 2 * a + 0.5 * b - c,
    "subtract": lambda a, b, c: 2 * a - (0.5 * b - c) / 2,
    "average": lambda a, b, c: (2 * a + 0.5 * b - c) / 1.5,
}


@pytest.mark.parametrize("how", WEIGHTED)
def test_every_picture_has_a_weight(noise, how):
    features = noise(3, 7)
    found = combine_features(features, how, [2.0, 0.5, -1.0])
    torch.testing.assert_close(found, WEIGHTED[how](*features)[None])


@pytest.mark.parametrize("how", ["add", "subtract", "average"])
def test_one_picture_stays_as_it_is(noise, how):
    one = noise(1, 7)
    torch.testing.assert_close(combine_features(one, how), one)


def test_features_that_are_0_in_all_pictures_stay_0():
    assert torch.equal(combine_features(torch.zeros(2, 3), "norm average"), torch.zeros(1, 3))


@pytest.mark.parametrize(
    ("how", "weights", "said"),
    [
        ("multiply", None, "no combination 'multiply'; choose concat, add, subtract, average"),
        ("add", [1.0], "there are 1 weights for 3 pictures; give one for each"),
        ("average", [1.0, -1.0, 0.0], "weights of an average sum to 0; give"),
    ],
)
def test_what_cannot_be_combined_is_refused(noise, how, weights, said):
    with pytest.raises(InputError, match=said):
        combine_features(noise(3, 7), how, weights)


def test_concatenated_tokens_stand_picture_after_picture(noise):
    tokens = noise(3, 2, 5)
    assert torch.equal(concat_tokens(tokens)[0], torch.cat(list(tokens)))


@pytest.fixture
def qkv(noise):
    """Queries, and keys and values of two pictures of 4 tokens."""
    return noise(1, 6, 8), noise(2, 4, 8), noise(2, 4, 8)


def heard(qkv, pictures, weights=None):
    q, k, v = qkv
    bias = None if weights is None else token_bias(weights, 4)
    return attention(q, concat_tokens(k[pictures]), concat_tokens(v[pictures]), 2, bias)


def test_weight_2_is_the_picture_given_twice(qkv):
    torch.testing.assert_close(heard(qkv, [0, 1], [2.0, 1.0]), heard(qkv, [0, 0, 1]))


def test_weight_0_is_the_picture_not_given(qkv):
    torch.testing.assert_close(heard(qkv, [0, 1], [0.0, 3.0]), heard(qkv, [1]))


def test_equal_weights_change_nothing(qkv):
    torch.testing.assert_close(heard(qkv, [0, 1], [0.5, 0.5]), heard(qkv, [0, 1]))
    assert token_bias([1.0, math.e], 2).flatten().tolist() == pytest.approx([0, 0, 1, 1])


@pytest.mark.parametrize("weights", [[-1.0, 1.0], [0.0, 0.0], [], [math.nan], [math.inf]])
def test_weights_that_are_no_amounts_are_refused(weights):
    with pytest.raises(InputError, match="needed numbers of 0 or more, not all 0"):
        token_bias(weights, 4)
