"""The denoiser's training parts against their formulas."""

import pytest
import torch

from mm_core.embedded.conditions import EncodedMap, EncodedStream, EncodedText, row_inputs
from mm_core.embedded.model import MODALITIES
from mm_core.embedded.vocabulary import tokenize
from mm_core.training.embedded import denoiser as stage
from mm_core.training.embedded.shards import flatten
from mm_core.types import Row


@pytest.fixture(scope="module")
def table(scenes):
    return flatten(scenes)


@pytest.fixture(scope="module")
def bank():
    before, stage.SOUNDS_PER_CLASS = stage.SOUNDS_PER_CLASS, 1
    try:
        return stage.sound_bank(0)
    finally:
        stage.SOUNDS_PER_CLASS = before


def test_the_bank_has_every_note_in_every_timbre(bank):
    assert bank.shape[:3] == (18, 1, 64)


def test_a_scene_without_a_person_has_no_pose_and_a_silent_one_no_sound(table):
    found = dict(zip(MODALITIES, stage.available(table).unbind(1), strict=True))
    assert torch.equal(found["pose"], table["content.has"][:, 2])
    assert torch.equal(found["audio"], table["content.note"] >= 0)
    assert all(found[name].all() for name in ("text", "style", "depth", "segmentation"))


def test_style_pictures_are_of_another_scene_of_the_same_style(table, rng):
    rows = torch.arange(24)
    pictures = stage.gather(table, rows, rng)["style_picture"]
    for i in range(24):
        match = [k for k in range(24) if torch.equal(table["small"][k], pictures[i])]
        assert match != [i]
        assert match[0] // 4 == i // 4


def test_training_shows_the_network_what_sampling_does(shipped, table, bank, rng):
    """keep rows in training and row_inputs in sampling describe the same evaluation."""
    batch = stage.gather(table, torch.arange(2), rng)
    keep = torch.zeros(2, 6, dtype=torch.bool)
    chosen = ("text", "style", "depth", "segmentation")
    keep[:, [MODALITIES.index(name) for name in chosen]] = True
    batch["tokens"] = batch["tokens"][:, :1]  # one caption: nothing to draw
    x, sigma = torch.randn(2, 8, 16, 16, generator=rng), torch.tensor([0.3, 0.9])
    batch = stage.choose_words(batch, keep, rng)
    trained = stage.predict(shipped, x, sigma, batch, keep, bank, rng)
    adapters = shipped.adapters
    segments = stage.one_hot_segments(batch["segment"])
    encoded = {
        "text": EncodedText(shipped.text(batch["tokens"][:, 0].long()), torch.zeros(1, 24, 128)),
        "style": EncodedStream("style", adapters.style(batch["style_picture"].float() / 255)),
        "depth": EncodedMap(*adapters.spatial["depth"](batch["depth"].float() / 255)),
        "segmentation": EncodedMap(*adapters.spatial["segmentation"](segments)),
    }
    inputs = row_inputs(Row.of(chosen), encoded)
    sampled = shipped.denoiser(x, sigma * 1000, **inputs)
    torch.testing.assert_close(trained, sampled, rtol=0, atol=1e-4)


def test_a_dropped_text_is_the_empty_prompt(shipped, table, bank, rng):
    batch = stage.gather(table, torch.arange(2), rng)
    x, sigma = torch.randn(2, 8, 16, 16, generator=rng), torch.tensor([0.3, 0.9])
    none = torch.zeros(2, 6, dtype=torch.bool)
    batch = stage.choose_words(batch, none, rng)
    found = stage.predict(shipped, x, sigma, batch, none, bank, rng)
    null = shipped.text(torch.tensor([tokenize("")] * 2))
    torch.testing.assert_close(found, shipped.denoiser(x, sigma * 1000, null), rtol=0, atol=1e-5)


def test_noise_levels_are_logit_normal_or_uniform(rng):
    drawn = stage.draw_sigma(20_000, rng)
    assert 0 < drawn.min() < drawn.max() < 1
    for s in (0.05, 0.25, 0.5, 0.75, 0.95):
        assert (drawn < s).float().mean().item() == pytest.approx(below(s), abs=0.015)


def test_half_of_those_led_by_words_have_high_noise(rng):
    led = torch.arange(40_000) % 2 == 0
    drawn = stage.draw_sigma(40_000, rng, led)
    for s in (0.25, 0.75, 0.9):
        high = max(0.0, (s - 0.75) / 0.25)
        found = [(drawn[which] < s).float().mean().item() for which in (led, ~led)]
        assert found == pytest.approx([(below(s) + high) / 2, below(s)], abs=0.015)


def below(s):
    """The share of noise levels under s: 85 % of Phi((logit(s) - 0.8) / 1.1) and 15 % of s."""
    logit = torch.logit(torch.tensor(s))
    return 0.85 * torch.special.ndtr((logit - 0.8) / 1.1).item() + 0.15 * s


def test_things_and_their_surroundings_count_more_than_the_ground():
    segment = torch.zeros(1, 64, 64, dtype=torch.uint8)
    segment[0, 33, 21] = 3  # cell (8, 5) of 16
    weight = stage.object_weight(segment, 5.0)[0, 0]
    expected = torch.ones(16, 16)
    expected[7:10, 4:7] = 5
    assert torch.equal(weight, expected)


def test_the_loss_is_a_weighted_mean_of_squares(noise):
    velocity, target = noise(2, 3, 4, 4), noise(2, 3, 4, 4)
    weight = 1 + noise(2, 1, 4, 4).abs()
    error = (velocity.double() - target.double()) ** 2 * weight.double()
    expected = error.mean() / weight.double().mean()
    torch.testing.assert_close(stage.flow_loss(velocity, target, weight), expected.float())


def test_segments_become_one_hot():
    found = stage.one_hot_segments(torch.tensor([[[0, 7]]], dtype=torch.uint8))
    assert found.shape == (1, 8, 1, 2)
    assert found[0, :, 0, 0].tolist() == [1, 0, 0, 0, 0, 0, 0, 0]
    assert found[0, :, 0, 1].tolist() == [0, 0, 0, 0, 0, 0, 0, 1]
