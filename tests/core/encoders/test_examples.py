"""The example inputs against the scenes they were drawn from."""

import shutil
from pathlib import Path

import pytest
import torch

from mm_core.cli.demo import SHOWN_SEED, input_pictures
from mm_core.encoders.examples import PICTURES, SCENES, read_example
from mm_core.encoders.pictures import picture_tensor
from mm_core.errors import InputError
from mm_core.evaluation.cases import held_out

ASSETS = Path(__file__).absolute().parents[3] / "example_workflows" / "assets"
FILES = [*(f"{name}.png" for name in PICTURES), "sound.wav", "pose.json"]


@pytest.fixture(scope="module")
def scenes():
    return held_out(12, SHOWN_SEED)


@pytest.mark.parametrize("name", SCENES)
def test_the_inputs_are_a_held_out_scenes(name, scenes):
    told = read_example(ASSETS, name)
    index = scenes.prompts.index(told.text)
    drawn = input_pictures(scenes, index)
    for kind in PICTURES:
        small = picture_tensor(drawn[kind])
        size = 256 // small.shape[-1]
        large = small.repeat_interleave(size, 2).repeat_interleave(size, 3)
        assert torch.equal(getattr(told, kind), large), kind
    assert told.sound.waves.shape == (1, 1, len(scenes.wave[index]))
    assert (told.sound.waves[0, 0] - scenes.wave[index]).abs().max() < 1e-4  # 16 bit
    flat = told.keypoints[0]["people"][0]["pose_keypoints_2d"]
    joints = torch.tensor(flat).view(18, 3)[:14, :2] / 256
    assert (joints - scenes.truth.content.joints[index]).abs().max() < 1e-4


@pytest.mark.parametrize("end", FILES)
def test_a_missing_file_is_one_sentence_that_names_it(end, tmp_path):
    shutil.copytree(ASSETS, tmp_path / "assets")
    (tmp_path / "assets" / f"mmc_{end}").unlink()
    with pytest.raises(InputError, match=rf"mmc_{end}: found nothing, .*; install the pack again"):
        read_example(tmp_path / "assets", "two shapes")
    read_example(tmp_path / "assets", "star")
