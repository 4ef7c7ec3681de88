"""Warnings are true: none for what was rendered or shipped, one for a photo."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from mm_core.embedded.scenes.attributes import SEGMENT_RGB
from mm_core.encoders.control.palette import ADE20K, COCO, paint
from mm_core.encoders.control.people import Frame, Person
from mm_core.encoders.control.skeleton import ANNOTATORS, CORE, XINSIR, draw_frames
from mm_core.encoders.doubts import (
    depth_doubt,
    palette_doubt,
    pose_doubt,
    size_doubt,
    sound_doubt,
    style_doubt,
)
from mm_core.encoders.pictures import read_picture
from mm_core.encoders.waves import read_wave
from mm_core.evaluation.cases import held_out

ASSETS = Path(__file__).parents[3] / "example_workflows" / "assets"
PALETTES = {"ADE20K": ADE20K, "COCO": COCO}


@pytest.fixture(scope="module")
def case():
    return held_out(8)


def photo(number=1, side=128, seed=1):
    """Like a photo in what is looked at: 1/f noise in each channel, which share most of it, around
    a muted colour."""
    rng = torch.Generator().manual_seed(seed)
    at = torch.fft.fftfreq(side)
    away = (at[:, None] ** 2 + at[None, :] ** 2).sqrt().clamp_min(1 / side)
    noise = torch.randn(number, 4, side, side, generator=rng)
    clouds = torch.fft.ifft2(torch.fft.fft2(noise) / away).real
    clouds = clouds / clouds.std((-2, -1), keepdim=True)
    color = torch.tensor([0.5, 0.42, 0.33]).view(1, 3, 1, 1)
    return (color + 0.16 * clouds[:, :1] + 0.08 * clouds[:, 1:]).clamp(0, 1)


def resized(x, side=200):
    return F.interpolate(x, (side, side), mode="bicubic", antialias=True).clamp(0, 1)


def rough(x):
    """What JPEG leaves of even areas."""
    return (x + 0.006 * torch.randn(x.shape, generator=torch.Generator().manual_seed(3))).clamp(
        0, 1
    )


def test_of_what_is_shipped_nothing_is_doubted():
    assert depth_doubt(read_picture(ASSETS / "mmc_depth.png")) is None
    assert pose_doubt(read_picture(ASSETS / "mmc_pose.png")) is None
    assert style_doubt(read_picture(ASSETS / "mmc_style.png")) is None
    assert sound_doubt(read_wave(ASSETS / "mmc_sound.wav")) is None
    segmentation = read_picture(ASSETS / "mmc_segmentation.png")
    assert palette_doubt(segmentation, SEGMENT_RGB, "ours") is None


def test_of_rendered_scenes_no_map_is_doubted_alone_or_resized(case):
    segments = SEGMENT_RGB[case.segment].permute(0, 3, 1, 2).float() / 255
    for i in range(len(case)):
        one = slice(i, i + 1)
        depth, pose = case.depth[one].expand(-1, 3, -1, -1), case.skeleton[one]
        for seen in (lambda x: x, resized, rough):
            assert depth_doubt(seen(depth)) is None
            assert pose_doubt(seen(pose)) is None
            assert palette_doubt(seen(segments[one]), SEGMENT_RGB, "ours") is None
        assert style_doubt(case.style_picture[one]) is None


def test_of_rendered_scenes_every_picture_is_no_pose(case):
    for picture in case.picture:
        assert pose_doubt(picture[None]) is not None


@pytest.mark.parametrize("drawing", [ANNOTATORS, XINSIR, CORE])
def test_skeletons_of_every_drawing_are_not_doubted(drawing):
    side = 512
    rng = torch.Generator().manual_seed(4)
    people = []
    for _ in range(2):
        parts = {
            name: torch.rand(n, 3, generator=rng, dtype=torch.float64)
            for name, n in (("body", 18), ("face", 70), ("left_hand", 21), ("right_hand", 21))
        }
        # A person fills a fifth of a picture, hands and face a small part of that.
        for name, share in (("body", 0.6), ("face", 0.1), ("left_hand", 0.1), ("right_hand", 0.1)):
            parts[name][:, :2] = parts[name][:, :2] * side * share + side * 0.1
            parts[name][:, 2] = 1
        people.append(Person(**parts))
    drawn = draw_frames([Frame(side, side, tuple(people))], drawing)
    for seen in (lambda x: x, resized, rough):
        assert pose_doubt(seen(drawn)) is None
    assert pose_doubt(torch.zeros(1, 3, 64, 64)) is None


@pytest.mark.parametrize("seed", range(4))
def test_a_photo_is_doubted_as_each_map(seed):
    picture = photo(seed=seed)
    assert "depth maps are grey" in depth_doubt(picture)
    assert "no skeleton in OpenPose's colours on black" in pose_doubt(picture)
    for name, palette in PALETTES.items():
        said = palette_doubt(picture, torch.tensor(palette.colors), name)
        assert f"none of {name}'s colours" in said


@pytest.mark.parametrize("name", PALETTES)
def test_a_painted_map_is_not_doubted(name):
    palette = PALETTES[name]
    small = torch.randint(-1, len(palette.classes), (1, 6, 6), generator=torch.manual_seed(5))
    index = small.repeat_interleave(40, 1).repeat_interleave(40, 2)
    painted, colors = paint(index, palette), torch.tensor(palette.colors)
    for seen in (lambda x: x, resized, rough):
        assert palette_doubt(seen(painted), colors, name) is None


def test_a_depth_map_in_a_colour_map_is_doubted():
    ramp = torch.linspace(0, 1, 64).expand(64, 64)
    assert "colour-mapped" in depth_doubt(torch.stack([ramp, 0 * ramp, 1 - ramp])[None])
    assert depth_doubt(ramp[None, None]) is None


def test_one_odd_frame_is_not_the_whole_video(case):
    frames = torch.cat([photo(side=64), case.skeleton[:3]])
    assert pose_doubt(frames) is None
    assert pose_doubt(photo(number=3)) is not None


def test_one_colour_is_no_style_and_silence_no_sound():
    flat = torch.tensor([0.2, 0.4, 0.6]).view(1, 3, 1, 1).expand(1, 3, 9, 9)
    assert "one colour throughout" in style_doubt(flat)
    assert style_doubt(photo()) is None
    assert "silent" in sound_doubt(torch.zeros(1, 100))
    assert sound_doubt(torch.tensor([[0.0, 0.01, 0.0]])) is None


def test_another_size_than_the_trained_one_is_doubted():
    assert size_doubt(128, 128, 128) is None
    assert size_doubt(512, 256, 128).startswith(
        "the picture is 512 x 256, and this model was trained on 128 x 128 alone"
    )
