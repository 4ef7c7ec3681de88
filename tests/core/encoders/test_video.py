"""Which frames are seen, and when; that the numbers are transformers' own, tests/parity says."""

import math

import pytest
import torch
from torch import nn

from mm_core.encoders.encoder import Encoding, Frames
from mm_core.encoders.video import (
    FrameEncoder,
    evenly,
    per_second,
    sinusoids,
    timeless,
)
from mm_core.errors import InputError
from mm_core.types import ModalityEmbedding


class Means:
    """An encoder of pictures whose one token is a picture's mean colour."""

    name, family, kind, width, needs = "means", "Means", "image", 3, "pictures"
    module = nn.Identity()

    def __init__(self, tokens=True):
        self.tokens = tokens

    def __call__(self, given, tick=None):
        for i in range(len(given)):
            tick(i + 1, len(given))
        mean = given.mean((2, 3))
        mask = torch.ones(len(given), 1, dtype=torch.bool)
        found = ModalityEmbedding("image", mean[:, None], mask) if self.tokens else None
        return Encoding(found, mean)


@pytest.fixture
def frames(rng):
    return torch.rand(7, 3, 8, 8, generator=rng)


def test_time_is_told_as_the_paper_prints_it():
    rows = sinusoids(50, 8)
    for position in (0, 1, 49):
        for i in range(4):
            angle = position / 10_000 ** (2 * i / 8)
            assert rows[position, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert rows[position, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-6)


def test_any_width_can_be_told():
    assert sinusoids(5, 7).shape == (5, 7)
    assert torch.equal(sinusoids(5, 1)[:, 0], torch.arange(5.0).sin())


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        (16, 4, [0, 5, 10, 15]),
        (4, 4, [0, 1, 2, 3]),
        (1, 4, [0, 0, 0, 0]),
        (2, 4, [0, 0, 1, 1]),
        (9, 1, [4]),
    ],
)
def test_frames_are_seen_evenly(found, wanted, expected):
    assert evenly(found, wanted) == expected


@pytest.mark.parametrize(
    ("found", "rate", "expected"),
    [
        (7, 3.0, [0, 3, 6]),
        (48, 24.0, [0, 24]),
        (49, 24.0, [0, 24, 48]),
        (1, 24.0, [0]),
        (3, 1.0, [0, 1, 2]),
        (60, 29.97, [0, 29, 59]),
        (2, 0.5, [0, 0, 1, 1]),
    ],
)
def test_one_frame_a_second_is_seen(found, rate, expected):
    assert per_second(found, rate) == expected


def test_each_frame_is_encoded_alone_and_told_its_time(frames):
    seen = []
    encoder = FrameEncoder(Means())
    found = encoder(Frames(frames, 3.0), lambda *step: seen.append(step))
    expected = frames[[0, 3, 6]].mean((2, 3)) + sinusoids(3, 3)
    assert torch.equal(found.embedding.tokens, expected[None])
    assert found.embedding.modality == "video"
    assert torch.equal(found.vector, frames[[0, 3, 6]].mean((2, 3)).mean(0, keepdim=True))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert (encoder.family, encoder.kind) == ("Means, frame by frame", "video")


def test_time_may_be_left_out_or_learned(frames):
    plain = FrameEncoder(Means(), timeless)(frames).embedding.tokens
    assert torch.equal(plain, frames.mean((2, 3))[None])
    table = torch.ones(7, 3)
    learned = FrameEncoder(Means(), lambda count, width: table[:count])(frames)
    assert torch.equal(learned.embedding.tokens, plain + 1)


def test_one_frame_is_a_video(frames):
    assert FrameEncoder(Means())(frames[:1]).embedding.tokens.shape == (1, 1, 3)


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf])
def test_a_rate_that_is_none_is_refused(frames, rate):
    with pytest.raises(InputError, match="frames a second; needed a rate above 0"):
        FrameEncoder(Means())(Frames(frames, rate))


def test_what_is_no_video_is_refused():
    with pytest.raises(InputError, match="found str; needed pictures"):
        FrameEncoder(Means())("a.mp4")


def test_an_encoder_of_pictures_without_tokens_is_refused(frames):
    with pytest.raises(InputError, match="means gives no tokens"):
        FrameEncoder(Means(tokens=False))(frames)


@pytest.mark.parametrize("count", [1, 3, 9])
def test_a_network_for_videos_sees_as_many_frames_as_it_was_trained_on(opened, rng, count):
    seen = []
    found = opened("videomae")(
        torch.rand(count, 3, 20, 30, generator=rng), lambda *step: seen.append(step)
    )
    assert found.embedding.tokens.shape == (1, 8, 32)  # 4 frames by twos, 2 x 2 patches
    torch.testing.assert_close(found.vector, found.embedding.tokens.mean(1))
    assert seen == [(1, 1)]


def test_an_encoder_of_pictures_is_one_of_video_frame_by_frame(opened, rng):
    pictures = torch.rand(2, 3, 32, 32, generator=rng)
    alone, timed = opened("dinov2"), opened("dinov2", kind="video")
    expected = alone(pictures).embedding.tokens + sinusoids(2, 32)[:, None]
    assert torch.equal(timed(pictures).embedding.tokens, expected.flatten(0, 1)[None])
