"""Sentences of content and ground, and words alone into pictures."""

import pytest
import torch

from mm_core.embedded.prior import load_priors
from mm_core.embedded.scenes.attributes import COLORS, FAMILIES, SHAPES
from mm_core.embedded.vocabulary import tokenize
from mm_core.evaluation.bench import prior_words
from mm_core.evaluation.bench.prior_words import ALONE, WAYS, compare, said, steps, ways


@pytest.fixture(scope="module")
def priors():
    return load_priors()[0]


@pytest.fixture(scope="module")
def given():
    return said(48)


def test_a_sentence_names_the_content_and_the_ground_and_is_read_whole(given):
    content, style = given.scenes.content, given.scenes.style
    for i, (shown, sentence) in enumerate(zip(given.contents, given.sentences, strict=True)):
        tokenize(sentence)  # raises where it is too long or a word is unknown
        assert sentence.startswith(f"{shown} on ")
        assert sentence.endswith(f" {FAMILIES[int(style.family[i])]}")
        assert not shown.endswith(FAMILIES)
        for slot in range(2):
            if content.has[i, slot]:
                named = f"{COLORS[content.color[i, slot]]} {SHAPES[content.shape[i, slot]]}"
                assert named in shown


def test_only_arms_are_left_out_where_there_are_too_many_words(given):
    short = [s for s in given.contents if " between " in s and " arms " not in s]
    assert short
    for sentence in short:
        assert "shirt between a" in sentence.replace("an ", "a ")


def test_ways_read_what_they_say(shipped, priors, given):
    """Text alone gives the style input nothing; the last way gives it the scene's own picture."""
    text, small = priors.encode(shipped.text, given.sentences[:4]), given.scenes.small[:4]
    chosen = ways(shipped, priors)
    assert len(chosen) == WAYS
    assert [w.embed is None for w in chosen] == [True] * ALONE + [False] * (WAYS - ALONE)
    assert [w.whole for w in chosen] == [False, True] + [False] * 4
    with torch.no_grad():
        own = priors.space.embed(shipped.adapters.style(small.float() / 255))
        torch.testing.assert_close(chosen[-1].embed(text, [0] * 4, small).vectors, own.vectors)
    for way in chosen[ALONE:-1]:
        blind = way.embed(text, [0] * 4, 255 - small).vectors
        assert torch.equal(way.embed(text, [0] * 4, small).vectors, blind)


def test_the_prior_s_ground_shows_and_all_is_counted(shipped, priors, oracle, monkeypatch):
    monkeypatch.setattr(prior_words, "STEPS", 3)
    ticks = []
    found, rows = compare(shipped, priors, oracle, 8, lambda: ticks.append(1))
    assert len(ticks) == steps(8) == WAYS
    assert [len(tiles) for _, tiles in rows] == [2] * (1 + WAYS)
    by_name = {w["name"]: w for w in found["ways"]}
    alone, mean = (
        by_name[n] for n in ("text alone, content", "content, and the diffusion prior's mean")
    )
    assert mean["more"].keys() == {"text alone, content", "text alone, whole sentence"}
    more = mean["more"]["text alone, content"]
    for name in ("style_family", "style_palette_mae"):
        gain = mean["measures"][name]["value"] - alone["measures"][name]["value"]
        assert more[name]["value"] == pytest.approx(gain)
    assert more["style_palette_mae"]["value"] < 0
