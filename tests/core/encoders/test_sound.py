"""Sounds of any rate and length; that the numbers are transformers' own, tests/parity says."""

import math
from dataclasses import replace

import pytest
import torch

from mm_core.encoders.encoder import Sound
from mm_core.encoders.sound import receptive_field
from mm_core.errors import InputError


@pytest.fixture
def speech(rng):
    return Sound(torch.rand(1, 1, 16_000, generator=rng) - 0.5, 16_000)


def test_the_receptive_field_is_the_least_that_the_network_hears(opened):
    encoder = opened("wav2vec2")
    config = encoder.module.config
    assert receptive_field(config.conv_kernel, config.conv_stride) == 400
    with torch.no_grad():
        assert encoder.module(torch.rand(1, 400)).last_hidden_state.shape[1] == 1
        with pytest.raises(RuntimeError):
            encoder.module(torch.rand(1, 399))


@pytest.mark.parametrize("make", ["wav2vec2", "whisper", "clap"])
def test_a_sound_that_is_too_short_is_refused_with_the_length_it_needs(opened, make):
    encoder = opened(make, kind="audio")
    encoder(Sound(torch.rand(1, 1, 400), 8000))
    for count in (0, 1, 399):
        words = rf"has {count} samples at 8000 Hz, .* too short for .*; needed at least 0\.05 s"
        with pytest.raises(InputError, match=words):
            encoder(Sound(torch.rand(1, 1, count), 8000))


def test_a_network_that_needs_longer_sounds_says_so(opened):
    encoder = opened("wav2vec2")
    encoder.hearing = replace(encoder.hearing, least=4000)
    with pytest.raises(InputError, match=r"needed at least 0\.25 s"):
        encoder(Sound(torch.rand(1, 1, 3999), 16_000))


def test_channels_are_averaged(opened, rng):
    encoder = opened("wav2vec2")
    both = torch.rand(1, 2, 8000, generator=rng) - 0.5
    mono = encoder(Sound(both.mean(1, keepdim=True), 16_000))
    assert torch.equal(encoder(Sound(both, 16_000)).vector, mono.vector)


def test_another_rate_is_the_same_sound(opened):
    """A tone of whole periods is resampled without error."""
    encoder = opened("wav2vec2")

    def tone(rate):
        time = torch.arange(rate, dtype=torch.float64) / rate
        return Sound(torch.sin(2 * math.pi * 440 * time).float()[None, None], rate)

    at_44, at_16 = encoder(tone(44_100)), encoder(tone(16_000))
    torch.testing.assert_close(at_44.embedding.tokens, at_16.embedding.tokens, rtol=0, atol=1e-3)


def test_sounds_do_not_influence_each_other(opened, rng):
    encoder = opened("wav2vec2")
    waves = torch.rand(2, 1, 8000, generator=rng) - 0.5
    both, alone = encoder(Sound(waves, 16_000)), encoder(Sound(waves[1:], 16_000))
    assert torch.equal(both.embedding.tokens[1:], alone.embedding.tokens)


def test_a_long_sound_is_heard_in_windows_that_follow_each_other(opened, rng):
    encoder, seen = opened("wav2vec2"), []
    encoder.hearing = replace(encoder.hearing, window=16_000)
    wave = torch.rand(1, 1, 24_000, generator=rng) - 0.5
    found = encoder(Sound(wave, 16_000), lambda *step: seen.append(step))
    first = encoder(Sound(wave[..., :16_000], 16_000))
    second = encoder(Sound(wave[..., 16_000:], 16_000))
    parts = [first.embedding.tokens, second.embedding.tokens]
    assert torch.equal(found.embedding.tokens, torch.cat(parts, 1))
    torch.testing.assert_close(found.vector, (2 * first.vector + second.vector) / 3)
    assert seen == [(1, 2), (2, 2)]


def test_a_rest_too_short_to_be_heard_belongs_to_the_window_before_it(opened, rng):
    encoder, seen = opened("wav2vec2"), []
    encoder.hearing = replace(encoder.hearing, window=16_000)
    encoder(Sound(torch.rand(1, 1, 16_399), 16_000), lambda *step: seen.append(step))
    assert seen == [(1, 1)]


def test_whisper_gives_a_token_for_each_20_ms_of_sound_and_none_for_filling(opened):
    found = opened("whisper")(Sound(torch.rand(1, 1, 4800), 16_000))
    assert found.embedding.tokens.shape == (1, 15, 32)


def test_what_cannot_be_heard_is_refused(opened):
    encoder = opened("wav2vec2")
    with pytest.raises(InputError, match="found str, needed a sound"):
        encoder("a.wav")
    with pytest.raises(InputError, match="too short"):
        encoder(Sound(torch.rand(0, 1, 16_000), 16_000))
    with pytest.raises(InputError, match="too short"):
        encoder(Sound(torch.rand(1, 1, 16_000), 0))
    with pytest.raises(InputError, match="values that are no numbers"):
        encoder(Sound(torch.full((1, 1, 16_000), torch.inf), 16_000))


def test_silence_is_heard(opened):
    for make in ("wav2vec2", "whisper", "clap"):
        found = opened(make, kind="audio")(Sound(torch.zeros(1, 1, 16_000), 16_000))
        assert torch.isfinite(found.vector).all()


def test_results_are_in_full_precision_whatever_the_weights_are(opened, speech):
    found = opened("whisper", dtype=torch.bfloat16)(speech)
    assert found.embedding.tokens.dtype == found.vector.dtype == torch.float32
