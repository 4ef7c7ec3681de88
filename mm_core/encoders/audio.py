"""Waveform -> log-mel spectrogram."""

import torch

from ..types import Float, Tensor

SAMPLE_RATE = 16_000  # Hz
BANDS = 64
WINDOW = 1024  # samples, 64 ms
HOP = 250  # samples, 15.6 ms
LOW_HZ, HIGH_HZ = 60.0, 7600.0
FLOOR = 1e-5


def log_mel(wave: Float[Tensor, "b t"]) -> Float[Tensor, "b 64 frames"]:
    """Mono waves at SAMPLE_RATE -> log power in mel bands, about -1 (silence) to 1 (loud).

    Each wave is scaled to a peak of 1 first: loudness says nothing here. Silence stays silence.
    Source: Davis and Mermelstein 1980; mel scale as in O'Shaughnessy 1987.
    """
    peak = wave.abs().amax(-1, keepdim=True)
    wave = wave / peak.clamp(min=1e-4)
    window = torch.hann_window(WINDOW, device=wave.device)
    spectrum = torch.stft(
        wave, WINDOW, HOP, window=window, center=True, pad_mode="constant", return_complex=True
    )
    power = spectrum.abs().square() / WINDOW
    mel = torch.einsum("kf,bft->bkt", mel_filters().to(power), power)
    return (mel.clamp(min=FLOOR).log10() + 2) / 3


def mel_filters() -> Float[Tensor, "64 bins"]:
    """Triangles, equally spaced in mel between LOW_HZ and HIGH_HZ, each summing to 1."""
    ends = torch.tensor([LOW_HZ, HIGH_HZ], dtype=torch.float64)
    low, high = (2595 * torch.log10(1 + ends / 700)).tolist()
    mels = torch.linspace(low, high, BANDS + 2, dtype=torch.float64)
    edges = 700 * (10 ** (mels / 2595) - 1)
    bins = torch.linspace(0, SAMPLE_RATE / 2, WINDOW // 2 + 1, dtype=torch.float64)
    rise = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    triangles = torch.minimum(rise, fall).clamp(min=0)
    # A band narrower than a bin still gets its nearest bin.
    nearest = (bins - edges[1:-1, None]).abs().argmin(1)
    triangles[torch.arange(BANDS), nearest] += 1e-3
    return (triangles / triangles.sum(1, keepdim=True)).float()
