"""Every caption is read back, by another grammar than the one that wrote it, and must be true."""

import random
import re

import pytest
import torch

from mm_core.embedded.scenes.attributes import ARMS, COLORS, FAMILIES, POSITIONS, SHAPES, SIZES
from mm_core.embedded.scenes.captions import caption
from mm_core.embedded.scenes.content import ONE_OBJECT, sample_content
from mm_core.embedded.scenes.style import sample_style

COUNT = 400
OBJECT = rf"an? (?:(\w+) )?({'|'.join(COLORS)}) ({'|'.join(SHAPES)})"
THING = rf"(an? (?:\w+ )?(?:{'|'.join(COLORS)}) (?:{'|'.join(SHAPES)})|a person[\w ]*?)"


@pytest.fixture(scope="module")
def world():
    rng = torch.Generator().manual_seed(2)
    return sample_content(rng, COUNT), sample_style(rng, COUNT)


@pytest.fixture(scope="module")
def captions(world):
    words = random.Random(0)
    return [caption(*world, i, words) for i in range(COUNT)]


@pytest.fixture(scope="module")
def full(world):
    return [caption(*world, i, random.Random(0), full=True) for i in range(COUNT)]


def objects_of(content, i):
    return {
        (SIZES[content.large[i, k]], COLORS[content.color[i, k]], SHAPES[content.shape[i, k]]): k
        for k in range(2)
        if content.has[i, k]
    }


def test_every_object_a_caption_names_is_there(world, captions):
    named = 0
    for i, text in enumerate(captions):
        there = objects_of(world[0], i)
        for size, color, shape in re.findall(OBJECT, text):
            named += 1
            assert (color, shape) in {key[1:] for key in there}
            assert not size or (size, color, shape) in there
    assert named > COUNT / 2


def test_a_full_caption_names_every_object_with_its_size(world, full):
    for i, text in enumerate(full):
        assert set(re.findall(OBJECT, text)) == set(objects_of(world[0], i))


def test_relations_in_captions_hold_in_the_picture(world, captions, full):
    content, checked = world[0], 0
    for i, text in [*enumerate(captions), *enumerate(full)]:
        found = re.search(rf"{THING} (left of|right of|above|below) {THING}( on \w+)?$", text)
        if not found:
            continue
        spots = []
        for words in (found[1], found[3]):
            if words.startswith("a person"):
                spots.append(content.joints[i, [1, 8, 11]].mean(0))
                continue
            (_, color, shape) = re.findall(OBJECT, words)[0]
            k = next(k for key, k in objects_of(content, i).items() if key[1:] == (color, shape))
            spots.append(content.center[i, k])
        dx, dy = (spots[1] - spots[0]).tolist()
        assert {"left of": dx, "right of": -dx, "above": dy, "below": -dy}[found[2]] > 0.05
        checked += 1
    assert checked > COUNT / 3


def test_persons_are_named_where_they_are_with_their_shirt_and_arms(world, captions):
    content = world[0]
    for i, text in enumerate(captions):
        assert ("person" in text) == bool(content.has[i, 2])
        if shirt := re.search(r"in an? (\w+) shirt", text):
            assert shirt[1] == COLORS[content.shirt[i]]
        if arms := re.search(r"with arms (\w+)", text):
            assert arms[1] == ARMS[content.arms[i]]


def test_positions_in_captions_are_those_of_the_content(world, captions):
    content = world[0]
    for i, text in enumerate(captions):
        if said := [p for p in POSITIONS if text.endswith(p) or f"{p} on" in text]:
            assert content.kind[i] == ONE_OBJECT
            assert said == [POSITIONS[content.position[i]]]


def test_three_captions_of_ten_name_the_texture_and_rightly(world, captions):
    found = [re.search(rf" on ({'|'.join(FAMILIES)})$", text) for text in captions]
    right = [f[1] == FAMILIES[world[1].family[i]] for i, f in enumerate(found) if f]
    assert all(right)
    assert len(right) / COUNT == pytest.approx(0.3, abs=0.07)


def test_a_full_caption_never_names_the_texture(full):
    assert not any(re.search(rf" on ({'|'.join(FAMILIES)})", text) for text in full)


def test_an_stands_before_vowels_only(captions):
    text = " ".join(captions)
    assert not re.search(r"\ba [aeiou]|\ban [^aeiou]", text)
    assert " an orange" in text
