"""mmc demo in miniature: files, figures and a table."""

import json

import pytest
from PIL import Image

from mm_core.embedded.model import MODALITIES
from mm_core.evaluation.measures import MEASURES


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--pictures", "3"], "--pictures 3: needed a value between 32 and 1024"),
        (["--steps", "0"], "steps is 0; it must be between 1 and 1000"),
        (["--model", "none.safetensors"], "none.safetensors: found no file"),
        (["--out", "file"], "--out file is a file; give a folder"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(refused, tmp_path, arguments, words):
    (tmp_path / "file").touch()
    refused(words, "demo", *arguments)


def test_a_demo_writes_inputs_pictures_sheet_and_report(mmc, tmp_path):
    outcome = mmc("demo", "--steps", "1", "--pictures", "32", "--out", "d")
    assert outcome.code == 0, outcome.err
    report = json.loads((tmp_path / "d" / "report.json").read_text())
    assert report["adherence"].keys() == set(MEASURES)
    assert report["pictures"] == 32
    assert report["weights"].keys() == set(MODALITIES)
    assert all(name in outcome.out for name in MEASURES)
    with Image.open(tmp_path / "d" / "contact_sheet.png") as sheet:
        assert min(sheet.size) > 500
    inputs = {p.name for p in (tmp_path / "d" / "inputs").iterdir()}
    assert inputs == {"style.png", "depth.png", "pose.png", "segmentation.png", "audio.wav"}
    alone = [tmp_path / "d" / "pictures" / f"{name}-alone.png" for name in MODALITIES]
    assert all(p.is_file() for p in alone)
    given = [
        part for name in MODALITIES[1:]
        for part in (f"--{name}", f"d/inputs/{name}.{'wav' if name == 'audio' else 'png'}")
    ]  # fmt: skip
    assert mmc("generate", *given, "--steps", "1").code == 0
