"""PCM of every width, resampling in closed form, and files that are no sound."""

import math
import struct
import wave

import pytest
import torch

from mm_core.encoders import waves
from mm_core.encoders.audio import SAMPLE_RATE
from mm_core.encoders.waves import (
    LONGEST,
    read_sound,
    read_wave,
    resample,
    to_mono,
    write_wave,
)
from mm_core.errors import InputError


def sine(hz, rate, seconds=0.5):
    t = torch.arange(int(rate * seconds), dtype=torch.float64) / rate
    return torch.sin(2 * math.pi * hz * t).float()


def peak_hz(x, rate):
    spectrum = torch.fft.rfft(x.double()).abs()
    return spectrum.argmax().item() * rate / len(x)


def pcm(value, width):
    """One sample in -1..1 as WAV stores it: one byte is unsigned, more are signed."""
    if width == 1:
        return bytes([round(value * 127) + 128])
    return round(value * (2 ** (8 * width - 1) - 1)).to_bytes(width, "little", signed=True)


@pytest.fixture
def stored(tmp_path):
    def store(channels, width, rate=SAMPLE_RATE):
        path = tmp_path / "a.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(len(channels))
            file.setsampwidth(width)
            file.setframerate(rate)
            frames = zip(*(c.tolist() for c in channels), strict=True)
            file.writeframes(b"".join(pcm(v, width) for frame in frames for v in frame))
        return path

    return store


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_every_width_gives_the_wave_back(stored, width):
    original = 0.9 * sine(440, SAMPLE_RATE)
    read = read_wave(stored([original], width))
    step = 2.0 ** (1 - 8 * width)
    torch.testing.assert_close(read, original[None], rtol=0, atol=max(step, 1e-6) * 1.5)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_stored_silence_is_silence(stored, width):
    assert read_wave(stored([torch.zeros(4000)], width)).abs().max() == 0


def test_our_own_files_are_read_back(tmp_path):
    original = 0.9 * sine(440, SAMPLE_RATE)
    write_wave(original, tmp_path / "a.wav")
    read = read_wave(tmp_path / "a.wav")
    torch.testing.assert_close(read, original[None], rtol=0, atol=1e-4)


def test_stereo_is_the_mean_of_both_channels(stored):
    left, right = 0.5 * sine(440, SAMPLE_RATE), 0.25 * sine(880, SAMPLE_RATE)
    read = read_wave(stored([left, right], 2))
    torch.testing.assert_close(read, (left + right)[None] / 2, rtol=0, atol=1e-4)


@pytest.mark.parametrize("rate", [8000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("hz", [220.0, 3000.0])
def test_a_sine_keeps_its_pitch_and_level_at_any_rate(stored, rate, hz):
    read = read_wave(stored([0.5 * sine(hz, rate)], 2, rate))[0]
    assert len(read) == SAMPLE_RATE // 2
    assert peak_hz(read, SAMPLE_RATE) == pytest.approx(hz, abs=2)  # bins are 2 Hz apart
    assert read[1000:-1000].abs().max() == pytest.approx(0.5, abs=0.01)


def test_resampling_a_whole_number_of_periods_is_exact():
    expected = sine(440, SAMPLE_RATE)
    torch.testing.assert_close(
        resample(sine(440, 44_100)[None], 44_100, SAMPLE_RATE)[0], expected, rtol=0, atol=1e-4
    )


def test_what_the_lower_rate_cannot_hold_is_cut_and_not_folded():
    high = resample(sine(10_000, 44_100)[None], 44_100, SAMPLE_RATE)
    assert high.abs().max() < 1e-3


def test_a_file_is_read_whole_as_it_is_piece_by_piece(stored, monkeypatch):
    monkeypatch.setattr(waves, "PIECE", 1000)
    channels = [0.5 * sine(440, 8000), 0.25 * sine(880, 8000)]
    path = stored(channels, 2, 8000)
    sound = read_sound(path)
    assert sound.rate == 8000
    torch.testing.assert_close(sound.waves, torch.stack(channels)[None], rtol=0, atol=1e-4)
    assert torch.equal(read_sound(path, 0.25).waves, sound.waves[..., :2000])


def test_only_the_first_seconds_are_heard():
    long = torch.zeros(1, 1, int((LONGEST + 1) * 1000))
    assert to_mono(long, 1000, "a.wav").shape == (1, int(LONGEST * SAMPLE_RATE))


def test_samples_of_a_batch_stay_apart():
    both = torch.stack([sine(440, 44_100), sine(880, 44_100)])[:, None]
    together = to_mono(both, 44_100, "a")
    torch.testing.assert_close(together[0], to_mono(both[:1], 44_100, "a")[0], rtol=0, atol=1e-5)
    assert peak_hz(together[1], SAMPLE_RATE) == pytest.approx(880, abs=2)


@pytest.mark.parametrize("count", [0, 1, 799])
def test_a_sound_that_is_too_short_is_refused_with_its_length(stored, count):
    with pytest.raises(InputError, match=rf"a\.wav: {count} samples at 16000 Hz are too few"):
        read_wave(stored([torch.zeros(count)], 2))


def test_a_file_that_breaks_off_inside_a_sample_is_heard_up_to_there(stored):
    path = stored([0.5 * sine(440, SAMPLE_RATE)] * 2, 2)
    path.write_bytes(path.read_bytes()[:-3])
    assert read_wave(path).shape == (1, SAMPLE_RATE // 2 - 1)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"ID3 mp3 " * 100, b"RIFF\x00\x00\x00\x00WAVE"])
def test_a_file_that_is_no_wav_is_refused_with_the_way_to_make_one(tmp_path, content):
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.wav: not a PCM WAV .*ffmpeg -i IN -ac 1 OUT\.wav"):
        read_wave(tmp_path / "a.wav")


def test_a_wav_of_floating_point_is_refused_with_the_way_to_convert_it(tmp_path):
    data = struct.pack("<800f", *[0.0] * 800)
    form = struct.pack("<HHIIHH", 3, 1, 16_000, 64_000, 4, 32)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", 3200) + data
    (tmp_path / "a.wav").write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    with pytest.raises(InputError, match=r"not a PCM WAV file \(unknown format: 3\); convert it"):
        read_wave(tmp_path / "a.wav")


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"none\.wav: found nothing, needed a WAV file"):
        read_wave(tmp_path / "none.wav")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="found a folder, needed a WAV file; check the path"):
        read_wave(tmp_path)
