"""The example scenes that come with the pack: one file for each input, and the text."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..types import Picture
from .encoder import Sound
from .pictures import read_picture
from .waves import read_sound

PICTURES = ("style", "depth", "pose", "segmentation")


@dataclass(frozen=True)
class Scene:
    """Where a scene's files are, and what its text is."""

    prefix: str
    text: str


SCENES = {
    "two shapes": Scene(
        "mmc",
        "a person in a red shirt with arms up between a small orange circle and a small green "
        "triangle",
    ),
    "star": Scene(
        "mmc_star", "a person in a yellow shirt with arms up right of a large black star"
    ),
}


@dataclass(frozen=True)
class ExampleInputs:
    """Every input of one scene. Keypoints are OpenPose's frames, as POSE_KEYPOINT holds them."""

    style: Picture
    depth: Picture
    pose: Picture
    segmentation: Picture
    sound: Sound
    keypoints: list[dict[str, Any]]
    text: str


def read_example(folder: Path, name: str) -> ExampleInputs:
    """The inputs of a scene of SCENES, or InputError that names the file that is missing."""
    scene = SCENES[name]

    def file(end: str) -> Path:
        path = folder / f"{scene.prefix}_{end}"
        if not path.is_file():
            raise InputError(
                f"{path}: found nothing, needed an example input that comes with this pack; "
                "install the pack again"
            )
        return path

    return ExampleInputs(
        **{name: read_picture(file(f"{name}.png")) for name in PICTURES},
        sound=read_sound(file("sound.wav")),
        keypoints=json.loads(file("pose.json").read_text()),
        text=scene.text,
    )
