"""From a folder to its row: found, chosen by kind, or refused with what is known."""

import importlib.metadata
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mm_core.encoders import families
from mm_core.encoders.encoder import Encoding
from mm_core.encoders.families import about, find_family, load_encoder
from mm_core.encoders.family import Family
from mm_core.errors import InputError


class Loaded:
    kind, width, needs = "text", None, "nothing"

    def __init__(self, folder, family, dtype):
        self.name, self.family, self.module = folder.name, family.name, nn.Linear(2, 2, dtype=dtype)

    def __call__(self, given, tick=None):
        return Encoding()


def row(name, kind, *types, **more):
    return Family(
        name, kind, types, "XModel", "tokens", "none", f"a test of {kind}", Loaded, **more
    )


@pytest.fixture
def table(monkeypatch):
    rows = (
        row("X with a head", "text", "x", architectures=("XHead",)),
        row("X", "text", "x"),
        row("X picture", "image", "x"),
        row("Z", "audio", "z", since="4.100", extras=("no-such-package",)),
    )
    monkeypatch.setattr(families, "FAMILIES", rows)


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    """installed("4.50.3") makes that the release of transformers; here none is needed to run."""
    real = importlib.metadata.version

    def pretend(release):
        found = {"transformers": release}
        monkeypatch.setattr(importlib.metadata, "version", lambda n: found.get(n) or real(n))

    pretend("5.23.0")
    return pretend


@pytest.fixture
def saved(tmp_path):
    def save(config):
        (tmp_path / "config.json").write_text(config)
        save_file({"a": torch.zeros(1)}, tmp_path / "model.safetensors")
        return tmp_path

    return save


@pytest.mark.usefixtures("table")
def test_a_particular_row_is_taken_before_a_general_one():
    assert find_family({"model_type": "x"}, "text").name == "X"
    config = {"model_type": "x", "architectures": ["XHead"]}
    assert find_family(config, "text").name == "X with a head"
    assert find_family(config, "image").name == "X picture"


@pytest.mark.usefixtures("table")
def test_a_folder_that_serves_for_several_asks_which():
    with pytest.raises(InputError, match="serves for text and image; say which"):
        find_family({"model_type": "x"})


@pytest.mark.usefixtures("table")
def test_a_folder_of_another_kind_is_refused():
    with pytest.raises(InputError, match=r"an encoder of text or image \(X\), needed one of audio"):
        find_family({"model_type": "x"}, "audio")


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"model_type": "llama"}, "says model_type 'llama', which no encoder here reads; choose"),
        ({}, "says model_type None, which no encoder here reads"),
        ({"model_type": ["x"]}, "which no encoder here reads"),
        (
            {"model_type": "y", "auto_map": {}},
            r"and its own code \(auto_map\) is never run; choose",
        ),
        ({"model_type": "y"}, "choose a model of one of: x, z$"),
    ],
)
def test_an_unknown_model_is_refused_with_what_is_known(config, words):
    with pytest.raises(InputError, match=words):
        find_family(config)


@pytest.mark.usefixtures("table")
def test_an_encoder_comes_in_the_precision_asked_for(saved):
    found = load_encoder(saved('{"model_type": "x"}'), torch.float16, kind="text")
    assert (found.family, found.module.weight.dtype) == ("X", torch.float16)


@pytest.mark.usefixtures("table")
def test_a_folder_tells_what_it_is_good_for(saved):
    folder = saved('{"model_type": "x", "auto_map": {"a": "b"}}')
    (folder / "preprocessor_config.json").write_text("{}")
    (folder / "tokenizer.json").write_text("{}")
    assert about(folder) == (
        "X: text -> tokens; good for a test of text | X picture: image -> tokens; "
        "good for a test of image; its own code (auto_map) is not run"
    )


@pytest.mark.usefixtures("table")
def test_a_half_without_its_preprocessor_says_what_is_missing_and_the_other_half_stays(saved):
    folder = saved('{"model_type": "x"}')
    (folder / "preprocessor_config.json").write_text("{}")
    text, image = about(folder).split(" | ")
    assert text.startswith(f"X cannot be used: {folder}: found no tokenizer.json")
    assert image == "X picture: image -> tokens; good for a test of image"


@pytest.mark.usefixtures("table")
def test_a_folder_that_cannot_be_used_tells_why(saved, installed):
    assert "cannot be used: config.json says model_type 'y'" in about(saved('{"model_type": "y"}'))
    folder = saved('{"model_type": "z"}')
    installed("4.50.3")
    assert about(folder) == (
        "Z cannot be used: needs transformers 4.100 or later, found 4.50.3 and no-such-package, "
        "which is not installed"
    )
    (folder / "model.safetensors").unlink()
    assert about(folder).startswith(f"cannot be used: {folder}: found no weights")


@pytest.mark.usefixtures("table")
def test_pictures_become_a_video_frame_by_frame(saved):
    found = load_encoder(saved('{"model_type": "x"}'), kind="video")
    assert (found.kind, found.family) == ("video", "X picture, frame by frame")


@pytest.mark.usefixtures("table")
def test_what_sees_no_pictures_sees_no_video(saved):
    folder = saved('{"model_type": "z"}')
    with pytest.raises(InputError, match=r"an encoder of audio \(Z\), needed one of video"):
        load_encoder(folder, kind="video")


@pytest.mark.usefixtures("table")
def test_the_folder_one_stands_in_has_a_name(saved, monkeypatch):
    folder = saved('{"model_type": "x"}')
    monkeypatch.chdir(folder)
    assert load_encoder(Path("."), kind="text").name == folder.name


def test_every_row_tells_all_that_the_table_shows():
    for family in families.FAMILIES:
        assert all((family.name, family.gives, family.unit, family.good_for)), family.name
        assert family.model_types
    names = [family.name for family in families.FAMILIES]
    assert len(names) == len(set(names))


def test_no_row_stands_behind_one_that_takes_its_folders():
    """A row without architectures takes every folder of its model types, so it must be the last."""
    seen = set()
    for family in families.FAMILIES:
        keys = {(family.kind, name) for name in family.model_types}
        assert not keys & seen, family.name
        seen |= keys if not family.architectures else set()


def test_a_package_that_is_missing_is_named_before_anything_is_loaded(opened_nothing, tmp_path):
    with pytest.raises(
        InputError, match=r"needs scipy, which is not installed; run pip install --upgrade scipy$"
    ):
        load_encoder(tmp_path)


@pytest.fixture
def opened_nothing(monkeypatch, tmp_path):
    def never(*args):
        raise AssertionError("was opened")

    row = Family("toy", "pose", ("toy",), "Toy", "", "", "", never, extras=("scipy",))
    monkeypatch.setattr(families, "FAMILIES", (row,))
    (tmp_path / "config.json").write_text('{"model_type": "toy"}')
    save_file({"w": torch.zeros(1)}, tmp_path / "model.safetensors")
    version = importlib.metadata.version

    def without(name):
        if name == "scipy":
            raise importlib.metadata.PackageNotFoundError
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", without)
