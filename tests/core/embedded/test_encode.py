"""A user's files become what the adapters were trained on."""

import pytest
import torch

from mm_core.embedded.conditions import EncodedMap
from mm_core.embedded.encode import (
    encode_audio,
    encode_depth,
    encode_people,
    encode_segmentation,
    encode_skeleton,
    encode_style,
    encode_text,
)
from mm_core.embedded.scenes.attributes import SEGMENT_RGB
from mm_core.embedded.scenes.skeleton import draw_people
from mm_core.embedded.vocabulary import tokenize
from mm_core.encoders.audio import log_mel
from mm_core.errors import InputError, WordError


@pytest.fixture(scope="module")
def adapters(shipped):
    return shipped.adapters


def larger(map_):
    """Twice the size: pixels that a user's file has more of."""
    return map_.repeat_interleave(2, 2).repeat_interleave(2, 3)


def assert_is(encoded: EncodedMap, expected):
    torch.testing.assert_close(encoded.fine, expected[0], rtol=0, atol=1e-5)
    torch.testing.assert_close(encoded.coarse, expected[1], rtol=0, atol=1e-5)


def test_text_is_the_prompt_and_its_null_the_empty_one(shipped):
    found = encode_text(shipped.text, "a red star")
    assert torch.equal(found.tokens, shipped.text(torch.tensor([tokenize("a red star")])))
    assert torch.equal(found.null, shipped.text(torch.tensor([tokenize("")])))


def test_a_negative_prompt_takes_the_place_of_the_empty_one(shipped):
    found = encode_text(shipped.text, "a red star", "a blue ring")
    assert torch.equal(found.null, shipped.text(torch.tensor([tokenize("a blue ring")])))


def test_an_unknown_word_is_refused(shipped):
    with pytest.raises(WordError, match="'zebra'"):
        encode_text(shipped.text, "a zebra")


def test_a_style_picture_of_any_size_is_read_at_64(adapters, scenes):
    small = scenes.small[:1].float() / 255
    found = encode_style(adapters, larger(small))
    torch.testing.assert_close(found.tokens, adapters.style(small), rtol=0, atol=1e-5)
    assert found.stream == "style"


def test_a_depth_map_is_read_at_64(adapters, scenes):
    depth = scenes.depth[:1].float() / 255
    assert_is(encode_depth(adapters, larger(depth)), adapters.spatial["depth"](depth))


def test_a_skeleton_is_read_at_64(adapters, scenes):
    skeleton = scenes.skeleton[:1].float() / 255
    assert_is(encode_skeleton(adapters, larger(skeleton)), adapters.spatial["pose"](skeleton))


def test_keypoints_are_the_skeleton_they_draw(adapters, rng):
    people = torch.rand(2, 18, 3, generator=rng)
    expected = encode_skeleton(adapters, draw_people(people))
    assert_is(encode_people(adapters, people), (expected.fine, expected.coarse))


def test_a_painted_segmentation_is_the_classes_it_was_painted_from(adapters, scenes):
    classes = scenes.segment[:1].long()
    painted = SEGMENT_RGB[classes].permute(0, 3, 1, 2).float() / 255
    one_hot = torch.zeros(1, 8, 64, 64).scatter_(1, classes[:, None], 1.0)
    found = encode_segmentation(adapters, larger(painted), "map.png")
    assert_is(found, adapters.spatial["segmentation"](one_hot))


def test_a_photo_in_place_of_a_segmentation_is_refused_by_name(adapters):
    with pytest.raises(InputError, match=r"photo\.png: .* none of the palette's colours"):
        encode_segmentation(adapters, torch.full((1, 3, 64, 64), 0.5), "photo.png")


def test_a_sound_is_heard_through_its_spectrogram(adapters, noise):
    wave = noise(1, 16_000)
    found = encode_audio(adapters, wave)
    assert torch.equal(found.tokens, adapters.audio(log_mel(wave)))
    assert found.stream == "audio"
