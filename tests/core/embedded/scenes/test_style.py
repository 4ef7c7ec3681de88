"""Textures that are what their family is called, in the two colours of the style."""

import colorsys
from dataclasses import replace

import pytest
import torch

from mm_core.embedded.scenes.attributes import FAMILIES, PIXELS
from mm_core.embedded.scenes.style import Style, hsv_to_rgb, sample_style, texture


def style_of(family, frequency=4.0, angle=0.0, phase=0.0):
    gray = torch.full((1, 3), 0.5)
    one = torch.ones(1)
    index = torch.tensor([FAMILIES.index(family)])
    return Style(index, gray, gray, frequency * one, angle * one, phase * one)


def cycles(line):
    """The strongest frequency of a line of pixels, in cycles per picture."""
    return torch.fft.rfft(line.double() - line.double().mean()).abs().argmax().item()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_texture_stays_in_0_to_1_and_shows_both_colours(rng, family):
    styles = replace(sample_style(rng, 4), family=torch.full((4,), FAMILIES.index(family)))
    cover = texture(styles)
    assert cover.min() >= 0
    assert cover.max() <= 1
    assert (cover.amax((1, 2)) - cover.amin((1, 2)) > 0.7).all()


@pytest.mark.parametrize("frequency", [3.0, 5.0])
def test_stripes_run_across_their_angle_in_cycles_per_picture(frequency):
    upright = texture(style_of("stripes", frequency))[0]
    assert cycles(upright[0]) == frequency
    torch.testing.assert_close(upright, upright[:1].expand(PIXELS, PIXELS))
    level = texture(style_of("stripes", frequency, angle=torch.pi / 2))[0]
    torch.testing.assert_close(level, upright.T, rtol=0, atol=1e-3)


def test_a_gradient_rises_along_its_angle():
    cover = texture(style_of("gradient"))[0]
    steps = cover.diff(dim=1)
    assert steps.min() > 0
    torch.testing.assert_close(steps, steps.mean().expand_as(steps))


def test_checks_repeat_along_both_axes():
    cover = texture(style_of("checks", 5.0))[0]
    torch.testing.assert_close(cover, cover.T)
    assert cycles(cover[10]) == cycles(cover[:, 10]) == 3  # six tenths of the frequency


def test_dots_are_round_and_cover_what_their_radius_says():
    cover = texture(style_of("dots", 8 / 0.95))[0]  # eight whole cells a side
    assert cover.mean().item() == pytest.approx(torch.pi * 0.3**2, abs=0.03)
    torch.testing.assert_close(cover, cover.flip(0), rtol=0, atol=1e-3)


def test_rings_are_equal_on_circles():
    cover = texture(style_of("rings", phase=torch.pi / 2))[0]  # centred a quarter above
    row = int(0.25 * PIXELS)
    right = cover[row - 1 : row + 1, PIXELS // 2 + 20].mean()
    below = cover[row + 20, PIXELS // 2 - 1 : PIXELS // 2 + 1].mean()
    torch.testing.assert_close(right, below, rtol=0, atol=0.05)


def test_waves_bend():
    cover = texture(style_of("waves"))[0]
    assert (cover - cover[:1]).abs().max() > 0.5


@pytest.mark.parametrize("family", ["stripes", "checks", "dots", "waves", "rings"])
def test_the_phase_moves_the_texture(family):
    assert not torch.allclose(texture(style_of(family)), texture(style_of(family, phase=2.0)))


def test_colours_are_those_of_the_standard_library(rng):
    hsv = torch.rand(3, 50, generator=rng)
    expected = [colorsys.hsv_to_rgb(*column) for column in hsv.T.double().tolist()]
    torch.testing.assert_close(hsv_to_rgb(*hsv), torch.tensor(expected), rtol=0, atol=1e-5)


def test_the_two_colours_of_a_style_can_be_told_apart(rng):
    style = sample_style(rng, 500)
    assert (style.first - style.second).abs().amax(1).min() > 0.1


def test_a_palette_has_the_darker_colour_first_whichever_it_was(rng):
    style = sample_style(rng, 50)
    turned = replace(style, first=style.second, second=style.first)
    assert torch.equal(style.palette(), turned.palette())
    dark, light = style.palette().split(3, 1)
    assert (dark.mean(1) <= light.mean(1)).all()
