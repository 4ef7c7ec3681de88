"""What is given is refused in words, or becomes the same picture."""

import numpy as np
import pytest
import torch

from mm_core.encoders.images import check_pictures, images
from mm_core.errors import InputError

BROKEN = torch.zeros(3, 3, 8, 8)
BROKEN[1, 2, 3, 4] = float("nan")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "mine: found nothing; needed pictures"),
        ("a.png", "mine: found str; needed pictures"),
        (torch.zeros(3, 8, 8), r"of shape \(3, 8, 8\); needed pictures as \(b, 3, h, w\)"),
        (torch.zeros(1, 8, 8, 3), r"of shape \(1, 8, 8, 3\)"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), "found torch.uint8"),
        (torch.zeros(0, 3, 8, 8), "found no picture at all"),
        (torch.zeros(1, 3, 7, 99), "99 x 7 pixels are too few; needed at least 8 x 8"),
        (torch.zeros(1, 3, 8, 401), "401 x 8 pixels are too long and thin"),
        (BROKEN, "picture 2 of 3 has values that are not finite numbers"),
    ],
)
def test_what_cannot_be_estimated_is_refused(given, words):
    with pytest.raises(InputError, match=words) as caught:
        check_pictures(given, "mine")
    assert "\n" not in str(caught.value)


def test_a_picture_that_can_be_is_given_back():
    picture = torch.rand(2, 3, 8, 400)
    assert check_pictures(picture, "mine") is picture


def test_eight_bit_colours_stay_what_they_are(rng):
    levels = torch.randint(0, 256, (2, 3, 9, 11), generator=rng)
    found = images(levels / 255)
    assert [im.size for im in found] == [(11, 9)] * 2
    assert np.array_equal(np.asarray(found[1]), levels[1].permute(1, 2, 0).numpy())
