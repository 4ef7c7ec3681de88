"""mmc encode: tensors with a header, a map, keypoints; all of it or nothing."""

import json

import pytest
import torch
from PIL import Image
from torch import nn

from mm_core.cli import encode
from mm_core.encoders.encoder import Encoding, Sound
from mm_core.encoders.video import FrameEncoder
from mm_core.encoders.waves import write_wave
from mm_core.types import ModalityEmbedding
from mm_core.weights.load import read_weights


class Stand:
    """An encoder that remembers what it was given and gives what it was told to."""

    name, family, width, needs, module = "stand", "Stand", 4, "anything", nn.Identity()

    def __init__(self, kind, **parts):
        self.kind, self.parts, self.given = kind, parts, None

    def __call__(self, given, tick=None):
        self.given = given
        tick(1, 2)
        tick(2, 2)
        return Encoding(**self.parts)


@pytest.fixture
def stand(monkeypatch):
    """stand("depth", control=...) is the encoder that every folder then holds."""

    def put(kind, wrap=lambda made: made, **parts):
        if not parts:
            mask = torch.ones(1, 3, dtype=torch.bool)
            parts = {"embedding": ModalityEmbedding(kind, torch.ones(1, 3, 4), mask)}
        made = Stand(kind, **parts)
        monkeypatch.setattr(encode, "load_encoder", lambda folder, kind: wrap(made))
        return made

    return put


@pytest.fixture
def picture(tmp_path):
    def save(name, size=(12, 10), colour="red"):
        Image.new("RGB", size, colour).save(tmp_path / name)
        return name

    return save


def test_tokens_and_what_they_are_become_one_file(mmc, stand, files, tmp_path):
    stand("text", embedding=ModalityEmbedding("text", torch.rand(1, 3, 4), torch.ones(1, 3) > 0),
          vector=torch.rand(1, 6))  # fmt: skip
    outcome = mmc("encode", "text", "a red bird", "--model", "m", "--out", "bird")
    assert (outcome.code, outcome.out) == (0, "bird.safetensors\n")
    assert files() == ["bird.safetensors"]
    tensors, header = read_weights(tmp_path / "bird.safetensors", "embedding", 1)
    assert {n: tuple(x.shape) for n, x in tensors.items()} == {
        "tokens": (1, 3, 4), "mask": (1, 3), "vector": (1, 6),
    }  # fmt: skip
    assert header.config == {
        "modality": "text", "family": "Stand", "model": "stand", "width": 4, "tokens": 3,
        "labels": [], "unit": None,
    }  # fmt: skip


def test_every_part_that_there_is_is_written_beside_the_others(mmc, stand, picture, tmp_path):
    people = [{"canvas_width": 12, "canvas_height": 10, "people": []}]
    stand(
        "pose", control=torch.rand(1, 3, 10, 12), keypoints=people, masks=torch.ones(1, 1, 10, 12)
    )
    outcome = mmc("encode", "pose", picture("a.png"), "--model", "m", "--out", "new/walk")
    assert outcome.out.split() == ["new/walk.safetensors", "new/walk.png", "new/walk.json"]
    assert json.loads((tmp_path / "new" / "walk.json").read_text()) == people


def test_an_ending_asks_for_one_part(mmc, stand, files, picture, tmp_path):
    control = torch.zeros(2, 3, 4, 6)
    control[1] = 1
    stand("depth", control=control, depth=torch.rand(2, 1, 4, 6))
    outcome = mmc("encode", "depth", picture("a.png"), "--model", "m", "--out", "d.png")
    assert outcome.out.split() == ["d-1.png", "d-2.png"]
    assert files() == ["a.png", "d-1.png", "d-2.png"]
    with Image.open(tmp_path / "d-2.png") as second:
        assert second.size == (6, 4)
        assert second.getpixel((0, 0)) == (255, 255, 255)


def test_a_part_that_there_is_not_is_refused_and_nothing_is_written(mmc, stand, files):
    stand("text")
    outcome = mmc("encode", "text", "a", "--model", "m", "--out", "a.json")
    assert outcome.code == 2
    assert outcome.err.splitlines()[-1] == (
        "mmc: Stand gives nothing to write as .json; give --out a name without an ending, for all "
        "that it gives"
    )
    assert files() == []


def test_texts_come_from_the_line_and_from_files(mmc, stand, tmp_path):
    made = stand("text")
    (tmp_path / "b.txt").write_text("zwei Vögel\n", encoding="utf-8")
    assert mmc("encode", "text", "a bird", "b.txt", "--model", "m").code == 0
    assert made.given == ["a bird", "zwei Vögel"]


def test_a_sound_is_read_whole_at_its_own_rate(mmc, stand, tmp_path):
    made = stand("audio")
    write_wave(torch.zeros(16_000 * 40), tmp_path / "long.wav")
    assert mmc("encode", "audio", "long.wav", "--model", "m").code == 0
    assert isinstance(made.given, Sound)
    assert (made.given.rate, tuple(made.given.waves.shape)) == (16_000, (1, 1, 640_000))


def test_frames_of_a_folder_are_read_in_order_one_for_each_second(mmc, stand, picture, tmp_path):
    made = stand("image", FrameEncoder, embedding=ModalityEmbedding(
        "image", torch.ones(3, 1, 4), torch.ones(3, 1) > 0))  # fmt: skip
    (tmp_path / "frames").mkdir()
    for i in range(6):
        picture(f"frames/{i}.png", colour=(i, 0, 0))
    (tmp_path / "frames" / "notes.txt").touch()
    outcome = mmc("encode", "video", "frames", "--model", "m", "--rate", "2")
    assert outcome.code == 0
    assert (made.given[:, 0, 0, 0] * 255).round().tolist() == [0, 2, 4]
    picture("other.png", size=(20, 20))
    outcome = mmc("encode", "video", "frames/0.png", "other.png", "--model", "m", "--out", "x")
    assert outcome.code == 2
    assert "other.png: found 20 x 20 pixels, needed 12 x 10, as the frames before" in outcome.err
    (tmp_path / "empty").mkdir()
    outcome = mmc("encode", "video", "empty", "--model", "m", "--out", "x")
    assert "empty: found no pictures, needed frames as PNG, JPEG or WebP" in outcome.err
    assert not (tmp_path / "x.safetensors").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["text", "a"], "the following arguments are required: --model"),
        (["smell", "a", "--model", "m"], "invalid choice: 'smell'"),
        (["text", "a", "--model", "none"], "none: found nothing, needed the folder that holds"),
        (["text", "a", "--model", "m", "--rate", "0"], "--rate 0.0: needed a value above 0"),
        (["text", "a", "--model", "m", "--rate", "nan"], "--rate nan: needed a value above 0"),
        (["image", "a.png", "b.png", "--model", "m"], "found 2 files, needed one image at a time"),
        (["depth", "d.png", "--model", "m", "--out", "d"], "d.png is the input's own name"),
        (["text", "a", "--model", "m", "--out", "m"], "m: found no config.json"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_read(refused, tmp_path, arguments, words):
    (tmp_path / "m").mkdir()
    refused(words, "encode", *arguments)


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("text", "none.txt", "FILE none.txt: cannot be read"),
        ("image", "none.png", "none.png: found nothing, needed a picture file"),
        ("audio", "none.wav", "none.wav: found nothing, needed a WAV file"),
    ],
)
def test_an_input_that_cannot_be_read_is_refused(refused, stand, kind, name, words):
    stand(kind)
    refused(words, "encode", kind, name, "--model", "m")


def test_a_model_in_a_folder_encodes_a_picture(mmc, picture, tmp_path):
    pytest.importorskip("transformers", reason="transformers is not installed")
    import tiny_encoders

    tiny_encoders.clip(tmp_path / "clip")
    outcome = mmc("encode", "image", picture("a.png"), "--model", "clip", "--out", "a.safetensors")
    assert (outcome.code, outcome.out) == (0, "a.safetensors\n")
    tensors, header = read_weights(tmp_path / "a.safetensors", "embedding", 1)
    assert tensors["tokens"].shape == (1, 17, 32)
    assert header.config["family"] == "CLIP vision"
    outcome = mmc("encode", "audio", "a.wav", "--model", "clip")
    assert outcome.err == (
        "mmc: this folder is an encoder of text or image (CLIP text), needed one of audio; "
        "choose another folder\n"
    )


def test_depth_says_its_unit_and_segmentations_their_classes(mmc, stand, picture, tmp_path):
    parts = {"depth": torch.rand(1, 1, 4, 6), "depth_unit": "metres"}
    stand("depth", classes=torch.ones(1, 4, 6, dtype=torch.long), **parts)
    mmc("encode", "depth", picture("a.png"), "--model", "m", "--out", "d.safetensors")
    tensors, header = read_weights(tmp_path / "d.safetensors", "embedding", 1)
    assert header.config["unit"] == "metres"
    assert torch.equal(tensors["classes"], torch.ones(1, 4, 6, dtype=torch.long))


def test_a_detector_finds_people_for_poses_alone(mmc, stand, picture):
    stand("depth", depth=torch.rand(1, 1, 4, 6))
    outcome = mmc("encode", "depth", picture("a.png"), "--model", "m", "--detector", "people")
    assert outcome.code == 2
    assert "--detector and an encoder of depth; needed one of pose" in outcome.err
