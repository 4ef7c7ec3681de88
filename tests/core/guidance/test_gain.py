"""Gains: one number, or one for each image and place."""

import pytest
import torch

from mm_core.errors import InputError
from mm_core.guidance.gain import is_nothing, numbers, peak, spread


def test_the_peak_is_the_largest_absolute_value():
    assert peak(-3.0) == 3.0
    assert peak(torch.tensor([[[1.0, -4.0]]])) == 4.0


@pytest.mark.parametrize(
    ("gain", "nothing"),
    [
        (0.0, True),
        (1e-10, True),
        (1e-6, False),
        (torch.zeros(2, 1, 1), True),
        (torch.tensor([[[0.0]], [[1.0]]]), False),
    ],
)
def test_nothing_is_0_everywhere_but_for_rounding(gain, nothing):
    assert is_nothing(gain) == nothing


def test_a_gain_for_each_image_multiplies_that_image_whatever_its_axes(noise):
    for shape in ((2, 3, 4, 4), (2, 3, 5, 4, 4)):
        x = noise(*shape)
        found = spread(torch.tensor([[[2.0]], [[-1.0]]]), x) * x
        assert torch.equal(found, torch.stack([2.0 * x[0], -1.0 * x[1]]))


def test_a_gain_for_each_place_multiplies_all_channels_there(noise):
    x, gain = noise(2, 3, 4, 5), noise(1, 4, 5)
    assert torch.equal(spread(gain, x) * x, x * gain[0])


def test_a_number_stays_a_number(noise):
    assert spread(2.5, noise(1, 1, 2, 2)) == 2.5


@pytest.mark.parametrize("text", ["4, 2.5, 1", "4 2.5 1", " 4;2.5;1 ", "4,\n2.5,\n1e0"])
def test_numbers_are_read_in_any_of_the_usual_ways(text):
    assert numbers(text, "weights") == (4.0, 2.5, 1.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("4, x", "weights: 'x' is no number; give one for each image"),
        ("4, nan", "'nan' is no number"),
        ("inf", "'inf' is no number"),
        (" , ", "weights: there is no number"),
    ],
)
def test_what_is_no_number_is_refused(text, words):
    with pytest.raises(InputError, match=words):
        numbers(text, "weights")


@pytest.mark.parametrize("text", ["x", " "])
def test_numbers_of_something_else_than_images_are_asked_for_by_its_name(text):
    with pytest.raises(InputError, match="give one for each embedding, such as"):
        numbers(text, "weights", "embedding")
