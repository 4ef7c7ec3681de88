"""Which inputs training examples have: shares, and nothing that a scene lacks."""

import itertools

import pytest
import torch

from mm_core.embedded.model import MODALITIES
from mm_core.training.embedded.dropout import gain, independent, led_by_words, structured

COUNT = 20_000
TEXT, STYLE, DEPTH, POSE, SEGMENTATION, AUDIO = range(6)


@pytest.fixture(scope="module")
def kept():
    everything = torch.ones(COUNT, 6, dtype=torch.bool)
    return structured(everything, torch.Generator().manual_seed(0))


def share(flags):
    return flags.float().mean().item()


def row(*indices):
    return torch.tensor([k in indices for k in range(6)])


def equals(kept, wanted):
    return (kept == wanted).all(1)


# Named patterns in the shares of the recipe: nothing 0.08, everything 0.18, all but one 0.16, one
# 0.20, text-led 0.25 and any subset 0.13, which may equal a named one (1 in 64).
ANY = 0.13 / 64


def test_nothing_and_everything_come_in_their_shares(kept):
    assert share(equals(kept, row())) == pytest.approx(0.08 + ANY, abs=0.01)
    assert share(equals(kept, row(*range(6)))) == pytest.approx(0.18 + ANY, abs=0.01)


def test_leaving_one_out_is_shared_equally(kept):
    for k in range(6):
        rest = [i for i in range(6) if i != k]
        assert share(equals(kept, row(*rest))) == pytest.approx(0.16 / 6 + ANY, abs=0.008)


def test_one_alone_is_most_often_the_text(kept):
    for k, part in enumerate((0.45, 0.13, 0.11, 0.09, 0.11, 0.11)):
        led = 0.25 / 8 if k == TEXT else 0  # text-led rows may keep no more than the text
        assert share(equals(kept, row(k))) == pytest.approx(0.2 * part + led + ANY, abs=0.008)


def test_text_led_rows_have_text_and_no_geometry(kept):
    without = ~kept[:, DEPTH] & ~kept[:, SEGMENTATION] & kept[:, TEXT]
    for extra in itertools.product((0, 1), repeat=3):
        rest = [k for k, on in zip((STYLE, POSE, AUDIO), extra, strict=True) if on]
        expected = 0.25 / 8 + ANY + (0.2 * 0.45 if not rest else 0)
        assert share(equals(kept, row(TEXT, *rest))) == pytest.approx(expected, abs=0.008)
    assert share(without) > 0.33


def test_words_lead_where_no_map_says_where_things_are(kept):
    found = led_by_words(kept)
    assert found.tolist() == [bool(k[TEXT] and not k[DEPTH] and not k[SEGMENTATION]) for k in kept]


def test_every_row_that_guidance_may_ask_for_occurs(kept):
    seen = {tuple(r) for r in kept.tolist()}
    assert len(seen) == 2**6


def test_what_a_scene_lacks_is_never_kept(rng):
    available = torch.rand(2000, 6, generator=rng) < 0.5
    assert not (structured(available, rng) & ~available).any()
    assert not (independent(available, 0.1, rng) & ~available).any()


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_independent_dropout_keeps_each_at_its_rate_and_apart_from_the_others(rng, rate):
    kept = independent(torch.ones(COUNT, 6, dtype=torch.bool), rate, rng)
    assert kept.float().mean(0).tolist() == pytest.approx([1 - rate] * 6, abs=0.015)
    both = share(kept[:, TEXT] & kept[:, DEPTH])
    assert both == pytest.approx((1 - rate) ** 2, abs=0.015)


def test_dropout_is_that_of_its_generator():
    everything = torch.ones(50, len(MODALITIES), dtype=torch.bool)
    first, again = (structured(everything, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first, again)


def test_a_flag_becomes_a_gain_for_each_sample():
    found = gain(torch.tensor([True, False]))
    assert found.shape == (2, 1, 1, 1)
    assert found.flatten().tolist() == [1.0, 0.0]
