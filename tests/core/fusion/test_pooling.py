"""Means over what is there."""

import torch

from mm_core.fusion.inputs import together
from mm_core.fusion.pooling import mean_of_inputs, mean_token


def test_the_mean_token_is_over_real_tokens(three, real):
    for e in together(three):
        for k in range(2):
            expected = real(e, k).mean(0) if e.mask[k].any() else torch.zeros(8)
            torch.testing.assert_close(mean_token(e)[k], expected)


def test_every_input_counts_once_however_many_tokens_it_has(three, real):
    parts = {e.modality: e for e in together(three)}
    found, anything = mean_of_inputs(parts)
    text, style, audio = three
    expected = (real(text).mean(0) + real(style).mean(0) + real(audio).mean(0)) / 3
    torch.testing.assert_close(found[0], expected)
    torch.testing.assert_close(found[1], (real(text, 1).mean(0) + real(style, 1).mean(0)) / 2)
    assert anything.all()


def test_a_sample_without_any_input_says_so(embed):
    found, anything = mean_of_inputs({"a": together([embed("a", 2, 3, 4, (2, 0))])[0]})
    assert anything.tolist() == [True, False]
    assert not found[1].any()
