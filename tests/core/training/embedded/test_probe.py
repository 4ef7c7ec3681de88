"""What the probe is asked, against the scenes' own pictures."""

import itertools
import math
from dataclasses import replace

import torch

from mm_core.embedded.scenes.attributes import COLOR_RGB, COLORS, FAMILIES, SEGMENTS, SHAPES
from mm_core.embedded.scenes.dataset import make_scenes
from mm_core.embedded.scenes.style import sample_style
from mm_core.embedded.vocabulary import WORDS, tokenize
from mm_core.training.embedded.probe import (
    Answers,
    Probe,
    cell_colors,
    loss,
    texture_numbers,
    texture_shown,
    word_slots,
)


def test_the_color_asked_for_in_a_cell_is_the_one_the_picture_shows_there():
    scenes = make_scenes(64, seed=11)
    cells = scenes.segment[:, 2::4, 2::4].long()
    asked = cell_colors(cells, scenes.content)
    shown = scenes.picture[:, :, 4::8, 4::8].float() / 255  # the middle of each cell
    distance = (shown[:, :, None] - COLOR_RGB.T[None, :, :, None, None]).square().sum(1)
    objects = (cells > 0) & (cells < len(SEGMENTS) - 1)
    agree = (distance.argmin(1) == asked)[objects].float().mean()
    # Haze, gloss and edges turn some pixels; a swap of the two objects would turn half of them.
    assert agree > 0.8


def test_perfect_answers_cost_nothing_and_each_wrong_one_does():
    scenes = make_scenes(8, seed=3)
    cells = scenes.segment[:, 2::4, 2::4].long()
    colors = cell_colors(cells, scenes.content)
    style = scenes.style
    tokens = torch.tensor([tokenize(c[0]) for c in scenes.captions])

    def sure(index, count):
        return 50.0 * torch.nn.functional.one_hot(index % count, count).movedim(-1, 1).float()

    right = Answers(
        segment=sure(cells, len(SEGMENTS)),
        color=sure(colors, len(COLORS)),
        family=sure(style.family, len(FAMILIES)),
        palette=style.palette(),
        heard_family=sure(style.family, len(FAMILIES)),
        heard_palette=style.palette(),
        heard_texture=texture_numbers(style),
        words=words_of_things(tokens, scenes.content),
    )
    wrong = {
        "segment": sure(cells + 1, len(SEGMENTS)),
        "color": sure(colors + 1, len(COLORS)),
        "family": sure(style.family + 1, len(FAMILIES)),
        "palette": 1 - style.palette(),
        "heard_family": sure(style.family + 1, len(FAMILIES)),
        "heard_palette": 1 - style.palette(),
        "heard_texture": texture_numbers(style) + 1,
        "words": -right.words,
    }

    def cost(answers):
        return float(loss(answers, scenes.segment, tokens, scenes.content, style))

    assert cost(right) < 1e-6
    for name, answer in wrong.items():
        assert cost(replace(right, **{name: answer})) > 0.3, name


def words_of_things(tokens, content):
    """What a perfect reading of each word says, found by the words themselves."""
    said = torch.zeros(*tokens.shape, 2 + len(SHAPES) + len(COLORS))
    for i, sentence in enumerate(tokens.tolist()):
        for at, k in things(sentence, content, i):
            said[i, at, :2] = content.center[i, k] * 4 - 2
            said[i, at, 2 + content.shape[i, k]] = 50
            said[i, at, 2 + len(SHAPES) + content.color[i, k]] = 50
    return said


def things(sentence, content, i):
    """(place, object) of each word that names an object's colour or shape."""
    words = [WORDS[t] for t in sentence]
    found = []
    for at, (color, shape) in enumerate(itertools.pairwise(words)):
        for k in range(2):
            if (
                content.has[i, k]
                and color == COLORS[content.color[i, k]]
                and shape == SHAPES[content.shape[i, k]]
            ):
                found += [(at, k), (at + 1, k)]
    return found


def test_each_word_of_an_object_is_known_to_be_its_and_no_other_is():
    scenes = make_scenes(64, seed=9)
    for which in range(len(scenes.captions[0])):
        tokens = torch.tensor([tokenize(c[which]) for c in scenes.captions])
        slots = word_slots(tokens, scenes.content)
        for i, sentence in enumerate(tokens.tolist()):
            found = {(at, int(k)) for at, k in enumerate(slots[i]) if k >= 0}
            assert found == set(things(sentence, scenes.content, i))


def test_without_words_nothing_is_asked_of_them():
    scenes = make_scenes(8, seed=3)
    empty = torch.tensor([tokenize("")] * 8)
    assert (word_slots(empty, scenes.content) == -1).all()


def test_textures_that_look_the_same_have_the_same_numbers():
    """Turned until it looks the same again, a texture must not ask for another answer."""
    style = sample_style(torch.Generator().manual_seed(5), 64)
    turn = torch.tensor([{"checks": 0.5, "dots": 0.5}.get(f, 1.0) for f in FAMILIES]) * math.pi
    turned = replace(style, angle=style.angle + turn[style.family])
    shown = texture_shown(style)
    torch.testing.assert_close(
        texture_numbers(style) * shown, texture_numbers(turned) * shown, rtol=0, atol=1e-5
    )


def test_the_probe_answers_on_a_grid_of_16():
    found = Probe(12)(torch.zeros(2, 12, 8, 8), torch.zeros(2, 16, 128), torch.zeros(2, 24, 128))
    assert found.segment.shape == (2, len(SEGMENTS), 16, 16)
    assert found.color.shape == (2, len(COLORS), 16, 16)
    assert found.family.shape == found.heard_family.shape == (2, len(FAMILIES))
    assert found.palette.shape == found.heard_palette.shape == (2, 6)
    assert found.heard_texture.shape == (2, 5)
    assert found.words.shape == (2, 24, 2 + len(SHAPES) + len(COLORS))
    assert torch.equal(found.palette, found.palette.clamp(0, 1))
