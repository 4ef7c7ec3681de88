"""One transform for pictures, masks and points: they land in the same place."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mm_core.encoders.control.fit import Fit, fit_to
from mm_core.encoders.control.people import Frame, Person
from mm_core.encoders.control.skeleton import draw_frame
from mm_core.errors import InputError

sides = st.integers(5, 90)
cells = st.integers(1, 9).map(lambda k: 8 * k)
modes = st.sampled_from(["stretch", "crop", "pad"])
MODES = ("stretch", "crop", "pad")


def numbered(width, height):
    """A picture whose pixels say where they are: x, y and 1."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([x + 1, y + 1, torch.ones_like(x)])[None].float()


@given(sides, sides, cells, cells, modes)
def test_a_pixel_of_the_target_is_the_one_whose_place_maps_there(w, h, width, height, mode):
    fit = fit_to((w, h), width, height, mode)
    placed = fit.picture(numbered(w, h), exact=True)[0]
    (across, _, left), (_, down, top) = fit.matrix.tolist()
    x = (torch.arange(width).double() + 0.5 - left) / across
    y = (torch.arange(height).double() + 0.5 - top) / down
    inside = (x >= 0) & (x < w), (y >= 0) & (y < h)
    expected = torch.where(inside[0], x.floor() + 1, 0.0)
    # A centre may fall on an edge between two pixels; either is nearest.
    on_edge = (x - x.round()).abs() < 1e-6
    found = placed[0][placed[2].sum(1).argmax()].double()
    assert torch.equal(found[~on_edge], expected[~on_edge])
    shown = placed[2] > 0
    assert torch.equal(shown, inside[1][:, None] & inside[0][None])


@given(sides, sides, cells, cells)
def test_crop_fills_the_target_and_pad_shows_everything(w, h, width, height):
    crop, pad = fit_to((w, h), width, height, "crop"), fit_to((w, h), width, height, "pad")
    assert (crop.picture(torch.ones(1, 3, h, w), exact=True) == 1).all()
    corners = pad.points(torch.tensor([[0.0, 0.0], [w, h]]))
    assert (corners >= -1e-4).all()
    assert (corners <= torch.tensor([width, height]) + 1e-4).all()
    ratios = width / w, height / h
    for fit, ratio in ((crop, max(ratios)), (pad, min(ratios))):  # in the middle, aspect kept
        assert abs(width - 2 * fit.left - fit.scaled[0]) <= 1
        assert abs(height - 2 * fit.top - fit.scaled[1]) <= 1
        assert abs(fit.scaled[0] - max(1, w * ratio)) <= 0.5
        assert abs(fit.scaled[1] - max(1, h * ratio)) <= 0.5


@pytest.mark.parametrize("mode", MODES)
def test_points_and_drawn_pixels_land_in_the_same_place(mode):
    w, h = 40, 24
    fit = fit_to((w, h), 160, 128, mode)
    for x in range(2, w, 5):
        for y in range(1, h, 6):
            picture = torch.zeros(1, 3, h, w)
            picture[..., y, x] = 1
            column, line = fit.points(torch.tensor([x + 0.5, y + 0.5])).tolist()
            placed = fit.picture(picture, exact=True)[0, 0]
            if 0 <= column < 160 and 0 <= line < 128:
                assert placed[int(line), int(column)] == 1
            ys, xs = np.nonzero(placed.numpy())
            if len(ys) and 5 < column < 155 and 5 < line < 123:
                assert abs(xs.mean() + 0.5 - column) <= 1
                assert abs(ys.mean() + 0.5 - line) <= 1


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("target", [(128, 64), (32, 96), (48, 48)])
def test_a_smooth_picture_is_moved_like_points(mode, target):
    """A blob's centre of mass, after scaling, is where its centre's point is."""
    w, h = 60, 44
    y, x = torch.meshgrid(torch.arange(h) + 0.5, torch.arange(w) + 0.5, indexing="ij")
    blob = torch.exp(-((x - 31) ** 2 + (y - 20) ** 2) / 8)[None, None].expand(1, 3, -1, -1)
    fit = fit_to((w, h), *target, mode)
    placed = fit.picture(blob)[0, 0]
    y, x = torch.meshgrid(
        torch.arange(target[1]) + 0.5, torch.arange(target[0]) + 0.5, indexing="ij"
    )
    found = torch.stack([(placed * x).sum(), (placed * y).sum()]) / placed.sum()
    torch.testing.assert_close(found, fit.points(torch.tensor([31.0, 20.0])), rtol=0, atol=0.06)


@pytest.mark.parametrize("mode", MODES)
def test_people_drawn_after_are_where_people_drawn_before_are(mode):
    body = torch.zeros(18, 3, dtype=torch.float64)
    body[4] = torch.tensor([70.5, 60.5, 1.0])
    frame = Frame(120, 140, (Person(body),))
    fit = fit_to((120, 140), 256, 384, mode)
    before, after = fit.picture(draw_frame(frame)), draw_frame(fit.frame(frame))
    for picture in (before, after):
        ys, xs = np.nonzero(picture[0, 1].numpy() > 0.5)
        at = fit.points(torch.tensor([70.5, 60.5])).tolist()
        assert abs(xs.mean() + 0.5 - at[0]) <= 1
        assert abs(ys.mean() + 0.5 - at[1]) <= 1


def test_the_same_size_is_left_alone(noise):
    picture = noise(2, 3, 16, 24).abs().clamp(0, 1)
    for mode in MODES:
        assert torch.equal(fit_to((24, 16), 24, 16, mode).picture(picture), picture)


def test_masks_keep_their_values_and_lie_over_pictures(noise):
    mask = (noise(2, 30, 20) > 0).float()
    for mode in MODES:
        fit = fit_to((20, 30), 64, 48, mode)
        placed = fit.mask(mask)
        assert set(placed.unique().tolist()) == {0.0, 1.0}
        assert torch.equal(
            placed, fit.picture(mask[:, None].expand(-1, 3, -1, -1), exact=True)[:, 0]
        )


def test_the_background_is_black_unless_said():
    fit = fit_to((10, 10), 64, 32, "pad")
    picture = torch.full((1, 3, 10, 10), 0.5)
    assert (fit.left, fit.scaled) == (16, (32, 32))
    assert (fit.picture(picture)[..., :16] == 0).all()
    assert (fit.picture(picture, background=1.0)[..., :16] == 1).all()
    assert (fit.picture(picture)[..., 16:48] == 0.5).all()


@pytest.mark.parametrize(
    ("size", "said"),
    [((60, 64), "latent of 60 x 64"), ((64, 0), "latent of 64 x 0"), ((-8, 8), "latent of -8 x 8"),
     ((16392, 8), "latent of 16392 x 8")],
)  # fmt: skip
def test_sizes_that_are_no_latents_are_refused(size, said):
    with pytest.raises(InputError, match=rf"found a {said} pixels; needed multiples of 8 from 8"):
        fit_to((10, 10), *size)


def test_latents_of_larger_cells_may_be_asked_for():
    with pytest.raises(InputError, match="needed multiples of 16"):
        fit_to((10, 10), 24, 32, cell=16)
    assert fit_to((10, 10), 48, 32, cell=16).target == (48, 32)


def test_a_picture_of_another_size_is_refused():
    fit = fit_to((10, 20), 64, 64)
    with pytest.raises(InputError, match="found 20 x 10 pixels where the fit is from 10 x 20"):
        fit.picture(torch.zeros(1, 3, 10, 20))
    with pytest.raises(InputError, match="found 9 x 9 pixels"):
        fit.frame(Frame(9, 9))


def test_a_picture_without_pixels_is_refused():
    with pytest.raises(InputError, match="found a picture of 0 x 5"):
        fit_to((0, 5), 8, 8)


def test_a_fit_is_a_value():
    assert fit_to((10, 20), 64, 64) == Fit((10, 20), (64, 128), (64, 64), 0, -32)


def test_a_sliver_of_a_huge_picture_is_refused_before_it_is_made():
    with pytest.raises(InputError, match=r"scale them to 16384 x 10923 .*; choose pad or stretch"):
        fit_to((96, 64), 16384, 8, "crop")
    assert fit_to((96, 64), 16384, 8, "pad").scaled == (12, 8)
    assert fit_to((96, 64), 2048, 2048, "crop").scaled == (3072, 2048)
