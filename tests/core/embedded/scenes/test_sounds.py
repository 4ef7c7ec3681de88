"""What a note promises of its spectrum."""

import pytest
import torch

from mm_core.embedded.scenes.attributes import NOTE_NAMES, TIMBRES
from mm_core.embedded.scenes.sounds import SAMPLE_RATE, note_range, sound

PURE, HOLLOW, ROUGH = range(3)
NOTES = range(len(NOTE_NAMES))


def spectrum(note, timbre, seed=0):
    """Magnitudes at 1 Hz apart."""
    x = sound(note, timbre, torch.Generator().manual_seed(seed)).double()
    assert len(x) == SAMPLE_RATE
    return torch.fft.rfft(x).abs()


def level(magnitudes, hz):
    """The highest magnitude within 3 % of a frequency."""
    return magnitudes[int(hz * 0.97) : int(hz * 1.03) + 2].max().item()


def fundamental(note, magnitudes):
    low, high = (int(f) for f in note_range(note))
    return low + magnitudes[low : high + 1].argmax().item()


@pytest.mark.parametrize("note", NOTES)
def test_the_peak_of_a_pure_note_lies_inside_its_range(note):
    low, high = note_range(note)
    for seed in range(5):
        assert low < spectrum(note, PURE, seed).argmax().item() < high


def test_ranges_follow_each_other_two_thirds_of_an_octave_each():
    ends = [note_range(note) for note in NOTES]
    assert ends[0][0] == 110
    assert [low for low, _ in ends[1:]] == pytest.approx([high for _, high in ends[:-1]])
    assert all(high / low == pytest.approx(4 ** (1 / 3)) for low, high in ends)


@pytest.mark.parametrize("note", NOTES)
def test_a_pure_note_has_one_partial(note):
    heard = spectrum(note, PURE)
    base = fundamental(note, heard)
    assert max(level(heard, 2 * base), level(heard, 3 * base)) < 0.1 * level(heard, base)


@pytest.mark.parametrize("note", NOTES)
def test_a_hollow_note_has_odd_partials_only(note):
    heard = spectrum(note, HOLLOW)
    base = fundamental(note, heard)
    assert level(heard, 3 * base) > 0.15 * level(heard, base)
    assert level(heard, 2 * base) < 0.1 * level(heard, base)


@pytest.mark.parametrize("note", NOTES)
def test_a_rough_note_has_all_partials(note):
    heard = spectrum(note, ROUGH)
    base = fundamental(note, heard)
    assert level(heard, 2 * base) > 0.25 * level(heard, base)
    assert level(heard, 3 * base) > 0.15 * level(heard, base)


@pytest.mark.parametrize("timbre", range(len(TIMBRES)))
def test_a_sound_stays_in_range_and_says_nothing_by_its_loudness(rng, timbre):
    peaks = [sound(2, timbre, rng).abs().max().item() for _ in range(8)]
    assert 0.3 <= min(peaks) < max(peaks) <= 0.9


def test_a_sound_is_that_of_its_generator():
    first, again, other = (sound(1, 2, torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("note", [-1, 6])
def test_a_note_that_is_none_is_refused(rng, note):
    with pytest.raises(ValueError, match=rf"note {note} is not 0\.\.5"):
        sound(note, 0, rng)
