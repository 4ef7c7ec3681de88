"""The sound that belongs to a scene: one note in one timbre."""

import math

import torch

from ...types import Float, Tensor
from .attributes import NOTE_NAMES

SAMPLE_RATE = 16_000  # Hz
SECONDS = 1.0
LOWEST_HZ = 110.0
OCTAVES_PER_NOTE = 2 / 3


def note_range(note: int) -> tuple[float, float]:
    """The band of fundamentals, in Hz, that counts as this note."""
    low = LOWEST_HZ * 2 ** (note * OCTAVES_PER_NOTE)
    return low, low * 2**OCTAVES_PER_NOTE


def sound(note: int, timbre: int, rng: torch.Generator) -> Float[Tensor, " t"]:
    """A mono wave in -1..1 at SAMPLE_RATE. note: index of NOTE_NAMES; timbre: of TIMBRES.

    pure is one partial with vibrato, hollow has odd partials only, as a clarinet has, rough has
    all partials and breath noise. The fundamental keeps away from the edges of its band.
    """
    if not 0 <= note < len(NOTE_NAMES):
        raise ValueError(f"note {note} is not 0..{len(NOTE_NAMES) - 1}")
    low, high = note_range(note)

    def draw(a: float, b: float) -> float:
        return float(torch.rand((), generator=rng)) * (b - a) + a

    t = torch.arange(int(SAMPLE_RATE * SECONDS)) / SAMPLE_RATE
    base = low * (high / low) ** draw(0.2, 0.8)
    vibrato = draw(0.0, 0.006) / draw(4.0, 7.0)
    turns = base * (t + vibrato * torch.sin(2 * math.pi * draw(4.0, 7.0) * t))
    partials = {0: [1], 1: [1, 3, 5, 7], 2: [1, 2, 3, 4, 5, 6]}[timbre]
    wave = torch.zeros_like(t)
    for k in partials:
        if base * k < SAMPLE_RATE / 2:
            wave += torch.sin(2 * math.pi * (k * turns + draw(0.0, 1.0))) / k
    if timbre == 2:
        wave += 0.35 * torch.randn(len(t), generator=rng)
    start, fade = draw(0.0, 0.2), draw(0.02, 0.08)
    envelope = ((t - start) / fade).clamp(0, 1) * ((SECONDS - t) / fade).clamp(0, 1)
    wave = wave * envelope + draw(0.0, 0.02) * torch.randn(len(t), generator=rng)
    return draw(0.3, 0.9) * wave / wave.abs().max()
