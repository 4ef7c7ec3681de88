"""Swapped inputs contradict the scene they came from, and the truth follows them."""

import torch

from mm_core.embedded.scenes.attributes import COLORS, SHIRT_COLORS
from mm_core.evaluation.swapping import swapped_case


def test_every_colour_and_shirt_is_another(case):
    before, after = case.truth.content, swapped_case(case).truth.content
    assert (before.color != after.color).all()
    assert (before.shirt != after.shirt).all()
    assert after.color.max() < len(COLORS)
    assert after.shirt.max() < len(SHIRT_COLORS)


def test_geometry_is_kept(case):
    swapped = swapped_case(case)
    for name in ("depth", "skeleton", "segment"):
        assert torch.equal(getattr(swapped, name), getattr(case, name))
    for name in ("shape", "center", "joints", "relation", "kind"):
        assert torch.equal(getattr(swapped.truth.content, name), getattr(case.truth.content, name))


def test_the_words_say_the_new_colours(case):
    swapped = swapped_case(case)
    for i, prompt in enumerate(swapped.prompts):
        content = swapped.truth.content
        for k in range(2):
            if content.has[i, k]:
                assert COLORS[content.color[i, k]] in prompt


def test_style_and_its_truth_come_from_the_same_other_scene(case):
    swapped = swapped_case(case)
    for i in range(len(case)):
        origin = [k for k in range(len(case))
                  if torch.equal(case.style_picture[k], swapped.style_picture[i])]  # fmt: skip
        assert any(torch.equal(case.truth.style.palette()[k], swapped.truth.style.palette()[i])
                   for k in origin)  # fmt: skip
        assert i // 4 not in {k // 4 for k in origin}


def test_sound_and_its_truth_come_from_the_same_other_scene(case):
    swapped = swapped_case(case)
    assert torch.equal(swapped.wave.abs().amax(1) > 0, swapped.truth.content.note >= 0)
    assert not torch.equal(swapped.truth.content.note, case.truth.content.note)
    pairs = {tuple(w[:2000].tolist()): n for w, n in
             zip(case.wave, case.truth.content.note.tolist(), strict=True) if n >= 0}  # fmt: skip
    for wave, note in zip(swapped.wave, swapped.truth.content.note.tolist(), strict=True):
        assert note < 0 or pairs[tuple(wave[:2000].tolist())] == note


def test_swapping_is_the_same_every_time(case):
    first, again = swapped_case(case), swapped_case(case)
    assert first.prompts == again.prompts
    assert torch.equal(first.truth.content.color, again.truth.content.color)
