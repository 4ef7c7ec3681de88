"""What is kept of a text, and which row goes on from it."""

import torch

from mm_core.priors.prefix import Prefix, distinct
from mm_core.priors.prior import PriorText, join


def test_only_the_first_call_is_kept_and_every_row_goes_on_from_its_own(noise):
    """Texts of 3 and of 2 tokens in one line; rows of the second, the first, the second."""
    real = torch.tensor([[True, True, False, True], [False, True, True, False]])
    (layer,) = Prefix.empty(1, real, torch.tensor([1, 0, 1])).layers
    keys, values = noise(1, 4, 5, 8), noise(1, 4, 5, 8)
    assert layer.extended(keys, values) == (keys, values)
    for _ in range(2):
        new, more = noise(3, 4, 2, 8), noise(3, 4, 2, 8)
        k, v = layer.extended(new, more)
        for row, line in enumerate((slice(3, 5), slice(0, 3), slice(3, 5))):
            count = line.stop - line.start
            assert torch.equal(k[row, :, :count], keys[0, :, line])
            assert torch.equal(v[row, :, :count], values[0, :, line])
            assert torch.equal(k[row, :, 3:], new[row])
            assert torch.equal(v[row, :, 3:], more[row])


def test_rows_of_a_whole_batch_are_put_in_line_one_after_the_other(noise):
    (layer,) = Prefix.empty(1, torch.ones(2, 5, dtype=torch.bool), torch.tensor([1, 0])).layers
    keys, values = noise(2, 4, 5, 8), noise(2, 4, 5, 8)
    layer.extended(keys, values)
    k, v = layer.extended(keys[..., :1, :], values[..., :1, :])
    assert torch.equal(k[..., :5, :], keys.flip(0))
    assert torch.equal(v[..., :5, :], values.flip(0))


def test_what_only_fills_a_row_is_not_real():
    real = torch.tensor([[True, True, False, True], [False, False, True, False]])
    prefix = Prefix.empty(4, real, torch.tensor([0, 0, 1]))
    assert len(prefix) == 3
    assert prefix.real.tolist() == [[True] * 3, [True] * 3, [True, False, False]]
    assert len({id(layer) for layer in prefix.layers}) == 4


def test_neighbours_that_are_alike_are_one_and_no_others(texts):
    a, b = texts(1), texts(1, seed=1)
    left, rows = distinct(join(a, a, b, a, b, b))
    assert rows.tolist() == [0, 0, 1, 2, 3, 3]
    assert torch.equal(left.tokens, join(a, b, a, b).tokens)
    assert torch.equal(left.pooled, join(a, b, a, b).pooled)
    assert torch.equal(left.mask, join(a, b, a, b).mask)


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
