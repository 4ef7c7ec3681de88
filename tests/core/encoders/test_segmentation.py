"""The nearest palette colour, and a refusal of pictures that are painted in another palette."""

import pytest
import torch

from mm_core.encoders.segmentation import nearest_class
from mm_core.errors import InputError

PALETTE = torch.tensor([[0, 0, 0], [230, 25, 75], [60, 180, 75]], dtype=torch.uint8)


def painted(index, palette=PALETTE):
    return palette[index].permute(0, 3, 1, 2).float() / 255


def test_palette_colours_are_their_own_class(noise):
    index = noise(2, 6, 7).mul(9).long().remainder(3)
    assert torch.equal(nearest_class(painted(index), PALETTE, "map.png"), index)


def test_small_errors_of_compression_are_forgiven(noise):
    index = noise(2, 6, 7).mul(9).long().remainder(3)
    smeared = (painted(index) + 0.04 * noise(2, 3, 6, 7)).clamp(0, 1)
    assert torch.equal(nearest_class(smeared, PALETTE, "map.png"), index)


def test_another_palette_is_refused_by_name_with_the_share_and_the_colours():
    foreign = torch.ones(1, 3, 10, 10)
    foreign[..., :7] = 0
    said = (
        r"map\.png: 30% of the pixels have none of the palette's colours; needed .*#000000 #e6194b"
    )
    with pytest.raises(InputError, match=said):
        nearest_class(foreign, PALETTE, "map.png")


def test_a_few_foreign_pixels_are_forgiven():
    picture = torch.zeros(1, 3, 10, 10)
    picture[..., 0, :9] = 1
    assert nearest_class(picture, PALETTE, "map.png")[:, 1:].eq(0).all()
