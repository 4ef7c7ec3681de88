"""What is kept of a text, and which row goes on from it."""

import torch

from mm_core.priors.prefix import LayerPrefix, Prefix, distinct
from mm_core.priors.prior import PriorText, join


def test_only_the_first_call_is_kept_and_every_row_goes_on_from_its_own(noise):
    layer, keys, values = LayerPrefix(torch.tensor([1, 0, 1])), noise(2, 4, 5, 8), noise(2, 4, 5, 8)
    assert layer.extended(keys, values) == (keys, values)
    for _ in range(2):
        new, more = noise(3, 4, 2, 8), noise(3, 4, 2, 8)
        k, v = layer.extended(new, more)
        for row, text in enumerate((1, 0, 1)):
            assert torch.equal(k[row], torch.cat([keys[text], new[row]], 1))
            assert torch.equal(v[row], torch.cat([values[text], more[row]], 1))
    assert torch.equal(layer.keys, keys)
    assert torch.equal(layer.values, values)


def test_a_prefix_has_a_row_for_each_text_that_was_given():
    real = torch.tensor([[True, True, False], [True, False, False]])
    prefix = Prefix.empty(4, torch.tensor([0, 0, 1]), real)
    assert (len(prefix), prefix.tokens, len(prefix.layers)) == (3, 3, 4)
    assert prefix.real.sum(1).tolist() == [2, 2, 1]
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
