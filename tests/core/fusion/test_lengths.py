"""Rows of 77 tokens: even copies, and which lengths share a call."""

import pytest
import torch

from mm_core.fusion.lengths import even_copies, share_a_call, whole_rows


@pytest.mark.parametrize(
    ("a", "b", "together"),
    [
        (77, 77, True), (77, 154, True), (77, 231, True), (77, 308, True), (77, 385, False),
        (77, 78, False), (77, 93, False), (154, 231, True), (231, 154, True), (24, 40, False),
    ],
)  # fmt: skip
def test_lengths_that_share_a_call_are_those_that_were_measured(a, b, together):
    assert share_a_call(a, b) is together


@pytest.mark.parametrize(("tokens", "length"), [(1, 77), (77, 77), (93, 154), (155, 231)])
def test_the_next_multiple_of_77_is_filled_with_real_tokens(embed, tokens, length):
    found = whole_rows(embed("text", 2, tokens, 4))
    assert found.tokens.shape == (2, length, 4)
    assert found.mask.all()
    assert share_a_call(77, length)


@pytest.mark.parametrize("real", [1, 3, 7, 20])
def test_every_token_stands_there_equally_often_or_once_more_and_in_order(real):
    mask = torch.zeros(1, 30, dtype=torch.bool)
    mask[0, 5 : 5 + real] = True
    index = even_copies(mask, 20)[0]
    assert torch.equal(index.sort()[0], index)
    count = torch.bincount(index, minlength=30)
    assert set(count.nonzero()[:, 0].tolist()) == set(range(5, 5 + real))
    assert count.sum() == 20
    assert count[5 : 5 + real].max() - count[5 : 5 + real].min() <= 1


def test_no_input_gains_on_another_by_more_than_a_copy(embed):
    index = even_copies(torch.ones(1, 93, dtype=torch.bool), 154)[0]
    style = (index >= 77).sum().item()
    assert abs(style - 154 * 16 / 93) < 1


def test_attention_hears_the_same_where_the_copies_are_even(embed, noise):
    e = embed("text", 1, 11, 4)
    q, found = noise(1, 3, 4), whole_rows(e)
    attend = torch.nn.functional.scaled_dot_product_attention
    torch.testing.assert_close(attend(q, found.tokens, found.tokens), attend(q, e.tokens, e.tokens))


def test_samples_with_fewer_tokens_repeat_them_more(embed):
    e = embed("text", 2, 6, 1, (6, 2))
    found = whole_rows(e, row=6)
    assert torch.equal(found.tokens[0], e.tokens[0])
    assert torch.equal(found.tokens[1], e.tokens[1, [0, 0, 0, 1, 1, 1]])


def test_a_sample_with_nothing_stays_without(embed):
    found = whole_rows(embed("text", 2, 6, 1, (6, 0)), row=6)
    assert not found.mask[1].any()


def test_whole_rows_without_padding_are_returned_as_they_are(embed):
    e = embed("text", 2, 154, 4)
    assert whole_rows(e) is e
