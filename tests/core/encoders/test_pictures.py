"""Files of every mode against the arrays they were made from; bad ones against the message."""

import numpy as np
import pytest
import torch
from PIL import Image

from mm_core.embedded.scenes.attributes import SEGMENT_RGB
from mm_core.encoders.pictures import (
    open_picture,
    read_depth,
    read_picture,
    square,
    to_bytes,
    to_image,
)
from mm_core.errors import InputError

HEIGHT, WIDTH = 12, 20


@pytest.fixture
def random_bytes():
    draw = np.random.default_rng(0)
    return lambda *shape: draw.integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def saved(tmp_path):
    def save(image, name="a.png", **options):
        image.save(tmp_path / name, **options)
        return tmp_path / name

    return save


def pixels(tensor):
    """(1, c, h, w) in 0..1 -> (h, w, c) in 0..255."""
    assert tensor.shape[0] == 1
    return tensor[0].permute(1, 2, 0).double().numpy() * 255


def over_white(rgb, alpha):
    share = alpha[..., None] / 255
    return rgb * share + 255 * (1 - share)


@pytest.mark.parametrize(("name", "options"), [("a.png", {}), ("a.webp", {"lossless": True})])
def test_rgb_is_read_exactly(saved, random_bytes, name, options):
    rgb = random_bytes(HEIGHT, WIDTH, 3)
    read = pixels(read_picture(saved(Image.fromarray(rgb), name, **options)))
    np.testing.assert_allclose(read, rgb, atol=1e-4)


def test_jpeg_is_read_about_right(saved):
    rgb = np.full((HEIGHT, WIDTH, 3), (200, 100, 50), dtype=np.uint8)
    read = pixels(read_picture(saved(Image.fromarray(rgb), "a.jpg", quality=95)))
    np.testing.assert_allclose(read, rgb, atol=4)  # the loss is JPEG's


def test_transparency_is_laid_over_white(saved, random_bytes):
    rgba = random_bytes(HEIGHT, WIDTH, 4)
    read = pixels(read_picture(saved(Image.fromarray(rgba, "RGBA"))))
    np.testing.assert_allclose(read, over_white(rgba[..., :3], rgba[..., 3]), atol=1.01)


def test_grey_with_alpha_is_laid_over_white(saved, random_bytes):
    la = random_bytes(HEIGHT, WIDTH, 2)
    read = pixels(read_picture(saved(Image.fromarray(la, "LA"))))
    expected = over_white(np.repeat(la[..., :1], 3, 2), la[..., 1])
    np.testing.assert_allclose(read, expected, atol=1.01)


def test_grey_becomes_three_equal_channels(saved, random_bytes):
    grey = random_bytes(HEIGHT, WIDTH)
    read = pixels(read_picture(saved(Image.fromarray(grey))))
    np.testing.assert_allclose(read, np.repeat(grey[..., None], 3, 2), atol=1e-4)


def test_black_and_white_is_0_and_1(saved, random_bytes):
    bits = random_bytes(HEIGHT, WIDTH) > 127
    read = pixels(read_picture(saved(Image.fromarray(bits))))
    np.testing.assert_allclose(read[..., 0], bits * 255.0, atol=1e-4)


@pytest.fixture
def palette_image(random_bytes):
    colors, index = random_bytes(4, 3), random_bytes(HEIGHT, WIDTH) % 4
    image = Image.fromarray(index, "L").convert("P")
    image.putdata(index.ravel().tolist())
    image.putpalette(colors.ravel().tolist())
    return image, colors, index


def test_a_palette_is_looked_up(saved, palette_image):
    image, colors, index = palette_image
    np.testing.assert_allclose(pixels(read_picture(saved(image))), colors[index], atol=1e-4)


def test_a_transparent_palette_colour_is_white(saved, palette_image):
    image, colors, index = palette_image
    colors[2] = 255
    read = pixels(read_picture(saved(image, transparency=2)))
    np.testing.assert_allclose(read, colors[index], atol=1e-4)


@pytest.fixture
def depth_bytes(random_bytes):
    return random_bytes(HEIGHT, WIDTH)


@pytest.mark.parametrize(
    ("kind", "name", "mode"), [(np.uint16, "deep.png", "I;16"), (np.int32, "deep.tif", "I")]
)
def test_sixteen_bits_say_the_same_as_eight(saved, depth_bytes, kind, name, mode):
    levels = depth_bytes.astype(kind) * 257  # 255 -> 65535
    deep, flat = saved(Image.fromarray(levels), name), saved(Image.fromarray(depth_bytes))
    assert open_picture(deep).mode == mode
    torch.testing.assert_close(read_depth(deep), read_depth(flat))
    torch.testing.assert_close(read_picture(deep), read_picture(flat))


def test_sixteen_bits_are_not_cut_to_eight(saved):
    levels = np.arange(HEIGHT * WIDTH, dtype=np.uint16).reshape(HEIGHT, WIDTH)
    read = read_depth(saved(Image.fromarray(levels)))
    np.testing.assert_allclose(read[0, 0].numpy() * 65535, levels, atol=0.01)


def test_depth_is_one_channel_of_any_colour_picture(saved, random_bytes):
    rgb = random_bytes(HEIGHT, WIDTH, 3)
    read = read_depth(saved(Image.fromarray(rgb)))
    assert read.shape == (1, 1, HEIGHT, WIDTH)
    np.testing.assert_allclose(read[0, 0].numpy() * 255, rgb.mean(2), atol=1e-3)


@pytest.mark.parametrize(("orientation", "turn"), [(3, 2), (6, 3), (8, 1)])
def test_a_rotated_photo_is_set_upright(saved, random_bytes, orientation, turn):
    rgb = random_bytes(HEIGHT, WIDTH, 3)
    exif = Image.Exif()
    exif[0x0112] = orientation
    read = pixels(read_picture(saved(Image.fromarray(rgb), exif=exif)))
    np.testing.assert_allclose(read, np.rot90(rgb, turn), atol=1e-4)


def test_text_named_png_is_refused_by_name(tmp_path):
    (tmp_path / "notes.png").write_text("not a picture " * 50)
    with pytest.raises(InputError, match=r"notes\.png: not a picture that can be read; needed PNG"):
        open_picture(tmp_path / "notes.png")


def test_an_empty_file_is_refused_by_name(tmp_path):
    (tmp_path / "empty.png").touch()
    with pytest.raises(InputError, match=r"empty\.png: not a picture that can be read"):
        open_picture(tmp_path / "empty.png")


@pytest.mark.parametrize("name", ["cut.png", "cut.jpg", "cut.webp"])
def test_a_truncated_picture_is_refused_by_name(saved, random_bytes, name):
    path = saved(Image.fromarray(random_bytes(64, 64, 3)), name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=rf"{name}: (the picture is damaged|not a picture)"):
        open_picture(path)


@pytest.mark.parametrize("size", [(1, 1), (7, 100)])
def test_a_picture_with_too_few_pixels_is_refused_with_both_sizes(saved, size):
    with pytest.raises(InputError, match=rf"{size[0]} x {size[1]} pixels are too few.*8 x 8"):
        open_picture(saved(Image.new("RGB", size)))


def test_a_folder_is_refused_as_one(tmp_path):
    with pytest.raises(InputError, match="found a folder, needed a picture file; check the path"):
        open_picture(tmp_path)


def test_a_missing_picture_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"none\.png: found nothing, needed a picture file"):
        open_picture(tmp_path / "none.png")


@pytest.mark.parametrize("shape", [(64, 192), (192, 64), (64, 65), (65, 64)])
def test_square_keeps_the_centre_and_loses_the_ends(noise, shape):
    height, width = shape
    x = noise(2, 3, *shape).sigmoid()
    top, left = (height - 64) // 2, (width - 64) // 2
    assert torch.equal(square(x, 64), x[:, :, top : top + 64, left : left + 64])


@pytest.mark.parametrize("shape", [(128, 128), (128, 300), (256, 200)])
def test_a_whole_factor_is_averaged(noise, shape):
    x = noise(1, 1, *shape).sigmoid()
    short = min(shape) // 8 * 8
    x = x[..., :short, :] if shape[0] < shape[1] else x
    factor, side = 4, min(x.shape[-2:]) // 4
    top, left = (x.shape[-2] - 4 * side) // 2, (x.shape[-1] - 4 * side) // 2
    middle = x[0, 0, top : top + 4 * side, left : left + 4 * side].double().numpy()
    expected = middle.reshape(side, factor, side, factor).mean((1, 3))
    np.testing.assert_allclose(square(x, side)[0, 0].numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("side_in", [8, 50, 100, 333])
def test_an_odd_factor_keeps_a_ramp_a_ramp(side_in):
    ramp = ((torch.arange(side_in) + 0.5) / side_in).expand(1, 1, side_in, side_in)
    expected = (torch.arange(64) + 0.5) / 64
    resized = square(ramp.contiguous(), 64)[0, 0]
    margin = 8  # at the border there is nothing beyond to average with
    torch.testing.assert_close(
        resized[:, margin:-margin],
        expected.expand(64, 64)[:, margin:-margin],
        rtol=0,
        atol=2e-3,
    )


def test_resizing_stays_in_0_to_1(noise):
    x = (noise(1, 3, 90, 130) > 0).float()
    resized = square(x, 64)
    assert 0 <= resized.min() < resized.max() <= 1


@pytest.mark.parametrize("shape", [(30, 50), (100, 64), (512, 300)])
def test_exact_resizing_mixes_no_labels(noise, shape):
    labels = torch.tensor([0.1, 0.2, 0.9])[noise(1, 1, *shape).mul(9).long().remainder(3)]
    assert set(square(labels, 64, exact=True).unique().tolist()) == set(labels.unique().tolist())


def test_exact_resizing_of_a_doubled_map_gives_the_map_back(noise):
    small = noise(1, 2, 64, 64)
    doubled = small.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert torch.equal(square(doubled, 64, exact=True), small)


def test_bytes_are_rounded_and_clamped():
    values = torch.tensor([-1.0, 0.0, 0.4999 / 255, 0.5001 / 255, 1.0, 2.0])
    assert to_bytes(values).tolist() == [0, 0, 0, 1, 255, 255]


def test_a_picture_survives_the_way_through_an_image_and_a_file(saved):
    picture = SEGMENT_RGB.float().T.reshape(3, 8, 1).expand(3, 8, 8) / 255
    torch.testing.assert_close(read_picture(saved(to_image(picture)))[0], picture)


def test_a_large_picture_is_read_without_a_warning(saved, monkeypatch, random_bytes):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 700)  # refused from twice as many
    path = saved(Image.new("RGB", (32, 32)), "large.png")
    assert read_picture(path).shape == (1, 3, 32, 32)


def test_a_picture_too_large_to_read_is_refused_by_name(saved, monkeypatch):
    path = saved(Image.new("RGB", (32, 32)), "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    with pytest.raises(InputError, match=r"bomb\.png: too many pixels .*make the picture smaller"):
        read_picture(path)


def test_floating_point_pixels_are_refused_and_not_clipped(saved):
    path = saved(Image.new("F", (16, 16), 0.5), "float.tiff")
    with pytest.raises(InputError, match=r"float\.tiff: found floating-point pixels.*16-bit PNG"):
        read_depth(path)
