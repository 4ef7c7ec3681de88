"""Scale and shift by channel."""

import torch

from mm_core.fusion.film import FilmConfig, Modulation
from mm_core.fusion.inputs import together


def test_matches_the_paper(three, make, stirred):
    block = stirred(make("film"))
    found = block(three).embedding.tokens
    text, style, audio = together(three)
    align, body = block.modulation.align, block.modulation.body
    vectors = [
        (align.one(style).tokens[0, :2].mean(0) + align.one(audio).tokens[0, :2].mean(0)) / 2,
        align.one(style).tokens[1].mean(0),  # the second sample has no audio
    ]
    for b, n in ((0, 5), (1, 3)):
        gamma, beta = body(vectors[b]).chunk(2)
        torch.testing.assert_close(found[b, :n], (1 + gamma) * text.tokens[b, :n] + beta)


def test_the_base_alone_passes_as_it_is_whatever_the_weights(three, make, stirred):
    block = stirred(make("film"))
    absent = type(three[1])("style", three[1].tokens, torch.zeros_like(three[1].mask))
    for inputs in (three[:1], [three[0], absent]):
        found = block(inputs).embedding.tokens
        assert torch.equal(found[three[0].mask], three[0].tokens[three[0].mask])


def test_a_new_modulation_is_zero_and_has_as_many_parts_as_asked_for(three):
    modulation = Modulation(FilmConfig({"text": 8, "style": 8}), 3)
    parts = modulation({"style": together(three)[1]})
    assert [p.shape for p in parts] == [(2, 1, 8)] * 3
    assert not any(p.any() for p in parts)
