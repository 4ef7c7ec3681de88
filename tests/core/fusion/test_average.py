"""Means place by place."""

import pytest
import torch

from mm_core.errors import InputError
from mm_core.fusion.average import average, norm_average, shares

each_mode = pytest.mark.parametrize("mode", [average, norm_average])


def plain(inputs, b, n, combine):
    """What is real at one place of one sample, combined."""
    there = [e.tokens[b, n] for e in inputs if n < e.mask.shape[1] and e.mask[b, n]]
    return combine(there) if there else torch.zeros(8)


def mean(there):
    return sum(there) / len(there)


def mean_direction(there):
    direction = mean([x / x.norm() for x in there])
    return direction / direction.norm() * mean([x.norm() for x in there])


@pytest.mark.parametrize(("mode", "combine"), [(average, mean), (norm_average, mean_direction)])
def test_matches_a_plain_loop(three, mode, combine):
    found = mode(three).embedding
    assert found.modality == "text+style+audio"
    for b in range(2):
        for n in range(5):
            torch.testing.assert_close(found.tokens[b, n], plain(three, b, n, combine))
            assert found.mask[b, n] == any(n < e.mask.shape[1] and e.mask[b, n] for e in three)


@each_mode
def test_one_input_comes_out_bit_for_bit(embed, mode):
    e = embed("text", 2, 5, 8)
    found = mode([e])
    assert torch.equal(found.embedding.tokens, e.tokens)
    assert found.shares["text"].tolist() == [1.0, 1.0]


@each_mode
def test_the_order_does_not_matter(three, mode):
    turned = [three[2], three[0], three[1]]
    torch.testing.assert_close(mode(three).embedding.tokens, mode(turned).embedding.tokens)


@each_mode
def test_padding_is_not_heard_even_if_it_is_not_a_number(embed, mode):
    a, b = embed("a", 1, 3, 4, (2,)), embed("b", 1, 3, 4)
    said = mode([a, b]).embedding.tokens
    a.tokens[0, 2] = torch.nan
    assert torch.equal(mode([a, b]).embedding.tokens, said)


@each_mode
def test_gradients_are_those_of_finite_differences_beside_padding(embed, mode):
    a = embed("a", 1, 3, 2, (2,), dtype=torch.float64)
    b = embed("b", 1, 2, 2, dtype=torch.float64)

    def said(x, y):
        return mode([type(a)("a", x, a.mask), type(b)("b", y, b.mask)]).embedding.tokens

    assert torch.autograd.gradcheck(said, (a.tokens.requires_grad_(), b.tokens.requires_grad_()))


def test_a_long_input_does_not_drown_a_short_one_in_the_mean_direction(embed):
    a, b = embed("a", 1, 1, 8), embed("b", 1, 1, 8)
    loud = type(a)("a", a.tokens * 1000, a.mask)
    direction = torch.nn.functional.normalize
    torch.testing.assert_close(
        direction(norm_average([loud, b]).embedding.tokens, dim=-1),
        direction(norm_average([a, b]).embedding.tokens, dim=-1),
    )


def test_shares_are_a_softmax_over_what_is_there(noise):
    scores, real = noise(3, 1, 2), torch.tensor([[[True, True]], [[True, False]], [[False, False]]])
    found = shares(scores, real)
    torch.testing.assert_close(found[:2, 0, 0], scores[:2, 0, 0].softmax(0))
    assert found[:, 0, 1].tolist() == [1.0, 0.0, 0.0]


def test_nothing_real_at_a_place_means_no_shares(noise):
    found = shares(noise(2, 1, 3), torch.zeros(2, 1, 3, dtype=torch.bool))
    assert not found.any()


def test_inputs_of_one_name_count_each_and_share_one_entry(embed):
    found = average([embed("style", 1, 2, 4), embed("style", 1, 2, 4), embed("text", 1, 2, 4)])
    torch.testing.assert_close(found.shares["style"], torch.tensor([2 / 3]))


@each_mode
def test_other_widths_are_refused(embed, mode):
    with pytest.raises(InputError, match=r"different widths, {'a': 4, 'b': 5}"):
        mode([embed("a", 1, 2, 4), embed("b", 1, 2, 5)])
