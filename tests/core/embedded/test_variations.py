"""Variations: nearer to their picture the less is made anew, and each its own."""

import pytest
import torch

from mm_core.embedded.generate import Settings
from mm_core.embedded.variations import vary


@pytest.fixture(scope="module")
def picture(scenes):
    return scenes.picture[:1].float() / 255


@pytest.fixture(scope="module")
def style(shipped, scenes):
    with torch.inference_mode():
        return shipped.adapters.style(scenes.small[:1].float() / 255)


def apart(a, b):
    return float((a - b).square().mean())


def test_little_noise_gives_the_picture_back_and_more_moves_away(shipped, picture, style):
    """At a denoise of .02 nothing but the autoencoder and 2 % noise is between the two."""
    off = [
        apart(vary(shipped, picture, style, Settings(steps=4, seed=1, denoise=d)), picture)
        for d in (0.02, 0.4, 0.7, 1.0)
    ]
    assert off[0] < 1e-3
    assert off == sorted(off)


def test_variations_of_a_batch_differ_and_each_is_as_alone(shipped, picture, style):
    settings = Settings(steps=3, seed=5, batch=2, denoise=0.5)
    both = vary(shipped, picture, style, settings)
    assert apart(both[0], both[1]) > 1e-4
    pair = vary(shipped, picture.repeat(2, 1, 1, 1), style.repeat(2, 1, 1), settings)
    torch.testing.assert_close(pair, both, rtol=0, atol=1e-5)


def test_the_whole_denoised_forgets_the_picture_but_not_the_style(shipped, picture, style):
    settings = Settings(steps=3, seed=5)
    made = vary(shipped, picture, style, settings)
    torch.testing.assert_close(vary(shipped, 1 - picture, style, settings), made)
    assert apart(vary(shipped, picture, style.flip(1) * 0.5, settings), made) > 1e-4


def test_a_picture_of_any_size_is_read_by_its_central_square(shipped, picture, style):
    large = torch.nn.functional.interpolate(picture, scale_factor=2.0)
    wide = torch.nn.functional.pad(large, (40, 40), value=0.3)
    settings = Settings(steps=2, seed=5, denoise=0.3)
    torch.testing.assert_close(
        vary(shipped, wide, style, settings), vary(shipped, picture, style, settings)
    )
