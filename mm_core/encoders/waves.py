"""WAV files -> mono waves at the rate the spectrogram wants."""

import math
import wave
from pathlib import Path
from typing import BinaryIO

import torch

from ..errors import InputError
from ..types import Float, Tensor
from ..weights.save import save_bytes
from .audio import SAMPLE_RATE
from .encoder import Sound
from .files import check_file

LONGEST = 30.0  # seconds; the rest of a longer file is not heard
SHORTEST = 0.05
PIECE = 1 << 20  # frames decoded at once; their bytes take eight times the room on the way


def read_wave(path: Path) -> Float[Tensor, "1 t"]:
    """The first LONGEST seconds of a PCM WAV file, mono, at SAMPLE_RATE."""
    sound = read_sound(path, LONGEST)
    return to_mono(sound.waves, sound.rate, str(path))


def read_sound(path: Path, seconds: float = math.inf) -> Sound:
    """A PCM WAV file as it is, or the first seconds of it."""
    check_file(path, "a WAV file")
    parts = []
    try:
        with wave.open(str(path), "rb") as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            left = min(file.getnframes(), seconds * rate)
            while left >= 1 and (raw := file.readframes(int(min(left, PIECE)))):
                left -= PIECE
                # A file may break off anywhere.
                raw = raw[: len(raw) // (width * channels) * width * channels]
                parts.append(_samples(raw, width).view(-1, channels).T)
    except (wave.Error, EOFError, OSError) as e:
        raise InputError(
            f"{path}: not a PCM WAV file ({str(e) or 'it breaks off'}); "
            "convert it, for example: ffmpeg -i IN -ac 1 OUT.wav"
        ) from e
    whole = torch.cat(parts, 1) if parts else torch.zeros(channels, 0)
    return Sound(whole[None], rate)


def to_mono(
    waveform: Float[Tensor, "b channels t"], rate: int, source: str
) -> Float[Tensor, "b s"]:
    """Channels averaged, resampled to SAMPLE_RATE, at most LONGEST seconds. rate in Hz."""
    if rate <= 0 or waveform.shape[-1] < SHORTEST * rate:
        raise InputError(
            f"{source}: {waveform.shape[-1]} samples at {rate} Hz are too few to hear; "
            f"needed at least {SHORTEST} s"
        )
    mono = waveform.float().mean(1)[:, : int(LONGEST * rate)]
    return resample(mono, rate, SAMPLE_RATE)


def resample(x: Float[Tensor, "b t"], rate: int, to: int) -> Float[Tensor, "b s"]:
    """Band-limited resampling: the spectrum is cut or padded with zeros. Rates in Hz."""
    if rate == to:
        return x
    length = round(x.shape[-1] * to / rate)
    spectrum = torch.fft.rfft(x)
    bins = length // 2 + 1
    kept = spectrum[..., :bins]
    kept = torch.nn.functional.pad(kept, (0, bins - kept.shape[-1]))
    return torch.fft.irfft(kept, n=length) * (length / x.shape[-1])


def write_wave(x: Float[Tensor, " t"], path: Path) -> None:
    """A mono wave in -1..1 at SAMPLE_RATE as 16-bit PCM."""

    def fill(stream: BinaryIO) -> None:
        with wave.open(stream, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes((x.clamp(-1, 1) * 32767).round().short().numpy().tobytes())

    save_bytes(fill, path)


def _samples(raw: bytes, width: int) -> Float[Tensor, " n"]:
    """Little-endian PCM of 1 to 4 bytes to -1..1. One byte is unsigned, as WAV has it."""
    if not raw:
        return torch.zeros(0)
    values = torch.frombuffer(bytearray(raw), dtype=torch.uint8).view(-1, width).double()
    if width == 1:
        return ((values[:, 0] - 128) / 128).float()
    total = (values * 256.0 ** torch.arange(width)).sum(1)
    half = 256.0**width / 2
    return (torch.where(total >= half, total - 2 * half, total) / half).float()
