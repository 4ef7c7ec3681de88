"""Adaptive layer norm."""

import torch

from mm_core.fusion.inputs import together


def test_matches_the_paper(three, make, stirred):
    block = stirred(make("adaln"))
    found = block(three[:2]).embedding.tokens
    x, style = (e.tokens for e in together(three[:2]))
    align, body = block.modulation.align, block.modulation.body
    for b, n, m in ((0, 5, 2), (1, 3, 4)):
        vector = (style[b, :m] + align.mark["style"]).mean(0)
        gamma, beta, alpha = body(vector).chunk(3)
        for k in range(n):
            mean, std = x[b, k].mean(), (x[b, k].var(unbiased=False) + 1e-5).sqrt()
            inside = (1 + gamma) * (x[b, k] - mean) / std + beta
            torch.testing.assert_close(found[b, k], x[b, k] + alpha * block.feed(inside))


def test_the_base_alone_passes_as_it_is_whatever_the_weights(three, make, stirred):
    block = stirred(make("adaln"))
    absent = type(three[1])("style", three[1].tokens, torch.zeros_like(three[1].mask))
    for inputs in (three[:1], [three[0], absent]):
        found = block(inputs).embedding.tokens
        assert torch.equal(found[three[0].mask], three[0].tokens[three[0].mask])
