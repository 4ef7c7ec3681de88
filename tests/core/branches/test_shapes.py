"""Making rows equally long may not change what attention hears."""

import numpy as np
import pytest
import torch

from mm_core.branches.shapes import blend, repeated, to_batch
from mm_core.errors import InputError


def attention(query, tokens):
    """Softmax attention in float64, one query, one sample: keys and values are the tokens."""
    scores = np.exp(tokens @ query)
    return (scores / scores.sum()) @ tokens


@pytest.mark.parametrize("seen", [1, 2, 3])
def test_copies_change_nothing_that_attention_hears(noise, seen):
    parts, query = [noise(1, 4, 5) for _ in range(seen)], noise(5).double().numpy()
    side_by_side = np.concatenate([p[0].double().numpy() for p in parts])
    heard = attention(query, repeated(parts, 3)[0].double().numpy())
    np.testing.assert_allclose(heard, attention(query, side_by_side), rtol=1e-12)


@pytest.mark.parametrize("of", [1, 2, 3, 4])
def test_the_length_does_not_depend_on_how_many_are_seen(noise, of):
    lengths = {repeated([noise(1, 4, 5)] * k, of).shape[1] for k in range(1, of + 1)}
    assert lengths == {4 * {1: 1, 2: 2, 3: 6, 4: 12}[of]}


def test_parts_of_one_sample_are_repeated_to_the_batch_of_the_others(noise):
    one, three = noise(1, 4, 5), noise(3, 4, 5)
    together = repeated([one, three], 2)
    assert torch.equal(together, torch.cat([torch.cat([one] * 3), three], 1))


def test_a_blend_ends_bit_for_bit(noise):
    null, tokens = noise(2, 4, 5), noise(2, 4, 5)
    assert torch.equal(blend(null, tokens, 1.0), tokens)
    assert torch.equal(blend(null, tokens, 0.0), null)


@pytest.mark.parametrize("strength", [-1.0, 0.25, 2.0])
def test_a_blend_is_a_straight_line(noise, strength):
    null, tokens = noise(2, 4, 5), noise(2, 4, 5)
    expected = (1 - strength) * null.double() + strength * tokens.double()
    torch.testing.assert_close(blend(null, tokens, strength), expected.float())


def test_one_sample_is_repeated_to_the_batch_and_a_full_batch_is_left_alone(noise):
    one, three = noise(1, 4), noise(3, 4)
    assert torch.equal(to_batch(one, 3, "style"), torch.cat([one] * 3))
    assert to_batch(three, 3, "style") is three


def test_a_batch_that_does_not_fit_is_refused_by_name_and_numbers(noise):
    with pytest.raises(InputError, match="style has a batch of 2 where 3 pictures are made; give"):
        to_batch(noise(2, 4), 3, "style")


def test_more_inputs_of_one_kind_than_copies_allow_are_refused(noise):
    with pytest.raises(InputError, match="there are 7 inputs of one kind; at most 6 fit"):
        repeated([noise(1, 4, 5)] * 7, 7)
