"""What is kept of a text, and which row goes on from it."""

import torch

from mm_core.priors.blocks import Past
from mm_core.priors.prefix import Prefix, distinct
from mm_core.priors.prior import PriorText, join


def read(noise, layers, *counts):
    """What as many layers keep of texts of so many tokens, in 4 heads of 8."""
    texts = [[Past() for _ in range(layers)] for _ in counts]
    for text, count in zip(texts, counts, strict=True):
        for past in text:
            past.extended(noise(1, 4, count, 8), noise(1, 4, count, 8))
    return texts


def test_every_row_goes_on_from_its_own_text_and_zeros_and_nothing_is_added(noise):
    """Texts of 3 and of 2 tokens; rows of the second, the first, the second; 6 places for each."""
    texts = read(noise, 2, 3, 2)
    prefix = Prefix.of(texts, [3, 2], torch.tensor([1, 0, 1]), 6)
    for number, layer in enumerate(prefix.layers):
        for _ in range(2):
            new, more = noise(3, 4, 2, 8), noise(3, 4, 2, 8)
            k, v = layer.extended(new, more)
            assert k.shape == v.shape == (3, 4, 8, 8)
            for row, (text, count) in enumerate(((1, 2), (0, 3), (1, 2))):
                past = texts[text][number]
                assert torch.equal(k[row, :, :count], past.keys[0])
                assert torch.equal(v[row, :, :count], past.values[0])
                assert (k[row, :, count:6] == 0).all()
                assert (v[row, :, count:6] == 0).all()
                assert torch.equal(k[row, :, 6:], new[row])
                assert torch.equal(v[row, :, 6:], more[row])


def test_what_only_fills_a_row_is_not_real(noise):
    prefix = Prefix.of(read(noise, 4, 3, 1), [3, 1], torch.tensor([0, 0, 1]), 4)
    assert len(prefix) == 3
    assert prefix.real.tolist() == [[True] * 3 + [False]] * 2 + [[True] + [False] * 3]
    assert len({id(layer) for layer in prefix.layers}) == 4


def test_all_that_are_alike_are_one_and_no_others(texts):
    a, b = texts(1), texts(1, seed=1)
    left, rows = distinct(join(a, a, b, a, b, b))
    assert rows.tolist() == [0, 0, 1, 0, 1, 1]
    for found, one in zip(left, (a, b), strict=True):
        assert torch.equal(found.tokens, one.tokens)
        assert torch.equal(found.pooled, one.pooled)
        assert torch.equal(found.mask, one.mask)


def test_texts_that_differ_in_one_part_are_two(texts):
    a = texts(1)
    changed = a.tokens.clone()
    changed[0, -1, -1] += 1e-6
    for other in (
        PriorText(a.pooled + 1, a.tokens, a.mask),
        PriorText(a.pooled, changed, a.mask),
        PriorText(a.pooled, a.tokens, ~a.mask),
    ):
        assert distinct(join(a, other))[1].tolist() == [0, 1]


def test_a_text_that_is_unlike_itself_is_one_by_itself(texts):
    a = texts(1)
    broken = PriorText(a.pooled * float("nan"), a.tokens, a.mask)
    left, rows = distinct(join(broken, a, broken, a))
    assert rows.tolist() == [0, 1, 2, 1]
    assert len(left) == 3
