"""Words for styles: true, known to the embedded model, and short enough."""

import colorsys
import random

import pytest
import torch

from mm_core.embedded.scenes.attributes import FAMILIES
from mm_core.embedded.scenes.content import sample_content
from mm_core.embedded.scenes.ground import (
    color_word,
    ground_words,
    palette_words,
    style_caption,
)
from mm_core.embedded.scenes.style import sample_style
from mm_core.embedded.vocabulary import tokenize

COUNT = 300
HUE = {"red": 0, "orange": 30, "yellow": 55, "green": 120, "blue": 220, "purple": 285}  # degrees


@pytest.fixture(scope="module")
def world():
    rng = torch.Generator().manual_seed(2)
    return sample_content(rng, COUNT), sample_style(rng, COUNT)


@pytest.mark.parametrize(("word", "degrees"), HUE.items())
def test_plain_hues_have_their_names(word, degrees):
    assert color_word(colorsys.hsv_to_rgb(degrees / 360, 0.6, 0.9)) == word
    assert color_word(colorsys.hsv_to_rgb(degrees / 360, 0.5, 0.3)) == word


def test_what_has_hardly_a_hue_is_white_or_black():
    assert color_word((0.9, 0.85, 0.9)) == "white"
    assert color_word((0.3, 0.3, 0.27)) == "black"


def test_the_darker_colour_is_named_first():
    red, blue = (0.4, 0.1, 0.1), (0.5, 0.5, 1.0)
    assert palette_words(torch.tensor([*red, *blue])) == ("red", "blue")


def test_a_full_ground_names_both_colours_and_the_family(world):
    style = world[1]
    for i in range(COUNT):
        said = ground_words(style, i, random.Random(0), full=True).split()
        assert said[-1] == FAMILIES[int(style.family[i])]
        named = [w for w in said[:-1] if w != "and"]
        assert named == list(dict.fromkeys(palette_words(style.palette()[i])))


def test_every_caption_is_read_by_the_embedded_model_and_names_no_other_style(world):
    words = random.Random(0)
    captions = [style_caption(*world, i, words) for i in range(COUNT)]
    for i, said in enumerate(captions):
        tokenize(said)  # raises for unknown words and for too many
        named = [f for f in FAMILIES if f in said.split()]
        assert named in ([], [FAMILIES[int(world[1].family[i])]])
    silent = sum(not any(f in s.split() for f in FAMILIES) for s in captions) / COUNT
    assert 0.1 < silent < 0.45
    alone = sum(s.split()[:1] not in (["a"], ["an"]) for s in captions) / COUNT
    assert 0.15 < alone < 0.5


def test_a_full_caption_ends_with_its_ground(world):
    words = random.Random(0)
    for i in range(COUNT):
        said = style_caption(*world, i, words, full=True)
        assert said.endswith(ground_words(world[1], i, words, full=True))
        tokenize(said)
