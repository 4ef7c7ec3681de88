"""Variations: nearer to their picture the less is made anew, and each its own."""

import pytest
import torch

from mm_core.embedded.defaults import WEIGHTS
from mm_core.embedded.generate import Settings
from mm_core.embedded.variations import vary
from mm_core.errors import InputError


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


def test_size_2_varies_256_pixels_and_little_noise_gives_those_back(shipped, picture, style):
    large = torch.nn.functional.interpolate(picture, (256, 256), mode="bilinear")
    made = vary(shipped, large, style, Settings(steps=4, seed=1, denoise=0.02, size=2))
    assert made.shape == (1, 3, 256, 256)
    assert apart(made, large) < 1e-3


def test_the_weight_is_of_the_style(shipped, picture, style):
    """Of weight 0 the style is not read; each further weight is a picture of its own."""
    settings, other = Settings(steps=2, seed=5, denoise=0.5), style.flip(1) * 0.5
    usual, none, one, three = (
        vary(shipped, picture, style, settings, *given) for given in ((), (0.0,), (1.0,), (3.0,))
    )
    assert torch.equal(none, vary(shipped, picture, other, settings, 0.0))
    assert torch.equal(usual, vary(shipped, picture, style, settings, WEIGHTS["style"]))
    assert min(apart(one, none), apart(three, one), apart(three, none)) > 1e-5


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((1, 3, 8, 0), "the picture to vary is 1 of 0 x 8 pixels; needed one or more of at least"),
        ((1, 3, 0, 8), "the picture to vary is 1 of 8 x 0 pixels"),
        ((0, 3, 8, 8), "the picture to vary is 0 of 8 x 8 pixels"),
    ],
)
def test_a_picture_without_pixels_is_refused(shipped, style, shape, said):
    with pytest.raises(InputError, match=said):
        vary(shipped, torch.zeros(shape), style, Settings(steps=2, denoise=0.5))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_picture_that_is_not_finite_is_named(shipped, picture, style, value):
    pictures = picture.repeat(3, 1, 1, 1)
    pictures[1, 0, 5, 5] = value
    with pytest.raises(InputError, match="picture 2 of 3 to vary has values that are not finite"):
        vary(shipped, pictures, style, Settings(steps=2, batch=3, denoise=0.5))
