"""The small language: what it knows, and what it says of words that it does not know."""

import random

import pytest
import torch

from mm_core.embedded.scenes.captions import caption
from mm_core.embedded.scenes.content import sample_content
from mm_core.embedded.scenes.style import sample_style
from mm_core.embedded.vocabulary import PAD, START, TOKENS, WORDS, tokenize, words_of
from mm_core.errors import WordError


def said(tokens):
    return [WORDS[t] for t in tokens]


def test_a_prompt_is_start_its_words_and_padding():
    assert said(tokenize("a red star")) == ["<start>", "a", "red", "star"] + ["<pad>"] * 20


def test_the_empty_prompt_is_start_and_padding():
    assert tokenize("") == tokenize("  ,. ") == [START] + [PAD] * (TOKENS - 1)


@pytest.mark.parametrize(
    "prompt", ["A RED Star.", " a  red,star ", '"a (red) star!?"', "a\tred;\nstar:"]
)
def test_case_space_and_punctuation_say_nothing(prompt):
    assert tokenize(prompt) == tokenize("a red star")


def test_spelling_variants_are_one_word():
    assert words_of("over under beneath in the centre") == [
        "above", "below", "below", "in", "the", "center",
    ]  # fmt: skip


def test_every_word_has_its_own_number():
    assert len(set(WORDS)) == len(WORDS)
    assert sorted(tokenize(w)[1] for w in WORDS[2:]) == list(range(2, len(WORDS)))


def test_every_caption_of_every_scene_is_understood(rng):
    content, style, words = sample_content(rng, 200), sample_style(rng, 200), random.Random(0)
    captions = [caption(content, style, i, words, full=i % 2 == 0) for i in range(200)]
    assert all(said(tokenize(c))[1 : 1 + len(c.split())] == c.split() for c in captions)


def test_an_unknown_word_is_named_with_the_nearest_known_ones():
    with pytest.raises(
        WordError, match=r"does not know 'starr' \(nearest: star, .*words are: a an"
    ):
        tokenize("a red starr")


def test_three_unknown_words_are_named_and_the_rest_counted():
    with pytest.raises(WordError, match=r"'cat' .*, 'dog' .*, 'cow' \(.*\) and 2 more;") as caught:
        tokenize("cat dog cow hen pig cat")
    assert "hen" not in str(caught.value).split(";")[0]


@pytest.mark.parametrize("word", ["<pad>", "<start>"])
def test_the_marks_between_words_are_no_words(word):
    with pytest.raises(WordError, match="does not know"):
        tokenize(f"a {word}")


def test_the_longest_prompt_fits_and_one_more_word_is_refused_with_both_numbers():
    assert tokenize("red " * 23)[-1] != PAD
    with pytest.raises(
        WordError, match="the prompt has 24 words; the embedded model reads at most 2"
    ):
        tokenize("red " * 24)


def test_a_caption_is_as_long_as_the_text_encoder_reads(shipped):
    assert shipped.text(torch.tensor([tokenize("")])).shape == (1, TOKENS, 128)
