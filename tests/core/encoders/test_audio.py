"""The spectrogram: pitch where the mel formula has it, loudness and silence."""

import math

import pytest
import torch

from mm_core.encoders.audio import BANDS, HOP, SAMPLE_RATE, log_mel, mel_filters


def sine(hz, seconds=0.5):
    return torch.sin(2 * math.pi * hz * torch.arange(int(SAMPLE_RATE * seconds)) / SAMPLE_RATE)


def mel(hz):
    """O'Shaughnessy 1987."""
    return 2595 * math.log10(1 + hz / 700)


def band_of(hz):
    """64 centres, equally spaced in mel strictly between 60 Hz and 7600 Hz."""
    return round((mel(hz) - mel(60)) / (mel(7600) - mel(60)) * 65 - 1)


@pytest.mark.parametrize("hz", [330.0, 440.0, 1000.0, 2500.0, 5000.0, 7000.0])
def test_a_sine_is_loudest_in_the_band_that_the_mel_formula_gives(hz):
    loudest = log_mel(sine(hz)[None])[0].mean(1).argmax().item()
    assert abs(loudest - band_of(hz)) <= 1  # a window of 64 ms resolves 15.6 Hz


def test_twice_the_pitch_is_a_higher_band():
    loudest = [log_mel(sine(hz)[None])[0].mean(1).argmax().item() for hz in (150, 300, 600, 1200)]
    assert loudest == sorted(set(loudest))


def test_loudness_says_nothing(noise):
    x = sine(440) + 0.1 * noise(SAMPLE_RATE // 2)
    torch.testing.assert_close(log_mel(0.01 * x[None]), log_mel(x[None]), rtol=0, atol=1e-4)


def test_silence_is_minus_one():
    assert torch.allclose(log_mel(torch.zeros(1, 4000)), torch.tensor(-1.0))


def test_a_frame_every_hop():
    assert log_mel(torch.zeros(2, 4000)).shape == (2, BANDS, 4000 // HOP + 1)


def test_samples_of_a_batch_do_not_see_each_other(noise):
    loud, soft = noise(4000), 0.01 * noise(4000)
    together = log_mel(torch.stack([loud, soft]))
    torch.testing.assert_close(together[1:], log_mel(soft[None]), rtol=0, atol=1e-5)


def test_the_band_of_a_steady_sine_has_its_mean_power():
    """A sine of peak 1 has power N/4 (Hann, one-sided, over N) in bins of its main lobe."""
    window = torch.hann_window(1024, dtype=torch.float64)
    bin_hz = SAMPLE_RATE / 1024
    x = sine(64 * bin_hz)  # exactly on bin 64
    amplitude = window.sum().item() / 2
    power = {64: amplitude**2 / 1024, 63: (amplitude / 2) ** 2 / 1024}
    power[65] = power[63]
    filters = mel_filters().double()
    expected = sum(filters[:, k] * p for k, p in power.items())
    heard = log_mel(x[None])[0, :, 10].double()  # far from both ends
    band = expected.argmax()
    assert heard[band].item() == pytest.approx(((expected[band].log10() + 2) / 3).item(), abs=1e-3)


def test_every_filter_sums_to_1_and_is_a_triangle_around_its_centre():
    filters = mel_filters()
    torch.testing.assert_close(filters.sum(1), torch.ones(BANDS))
    low, high = mel(60), mel(7600)
    for band in (0, 10, 30, 63):
        hz = 700 * (10 ** ((low + (high - low) * (band + 1) / 65) / 2595) - 1)
        heaviest = filters[band].argmax().item() * SAMPLE_RATE / 1024
        assert abs(heaviest - hz) <= SAMPLE_RATE / 1024
