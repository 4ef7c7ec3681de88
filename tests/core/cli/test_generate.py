"""mmc generate: every wrong input is named and nothing is written; a right one is a picture."""

import json

import pytest
import torch
from PIL import Image

from mm_core.cli.demo import input_pictures
from mm_core.embedded.prior import style_from_words
from mm_core.embedded.weights import SHIPPED
from mm_core.encoders.pictures import to_image
from mm_core.encoders.waves import write_wave
from mm_core.evaluation.cases import held_out

RED = ("generate", "--text", "a red star", "--steps", "1")


@pytest.fixture(scope="module")
def case():
    return held_out(4)


@pytest.fixture
def inputs(tmp_path, case):
    """One file for every kind of input."""
    for name, picture in input_pictures(case, 0).items():
        picture.save(tmp_path / f"{name}.png")
    write_wave(0.5 * torch.sin(torch.arange(16_000) / 10), tmp_path / "audio.wav")
    flat = [v for k in range(18) for v in (0.2 + k / 40, 0.5, 1.0)]
    frame = {"canvas_width": 1, "canvas_height": 1, "people": [{"pose_keypoints_2d": flat}]}
    (tmp_path / "pose.json").write_text(json.dumps([frame]))
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--weight", "text=abc"],
            "--weight text=abc: 'abc' is not a finite number; give one like",
        ),
        (["--weight", "text=nan"], "'nan' is not a finite number"),
        (["--weight", "text"], "--weight text: needed NAME=VALUE, such as text=5"),
        (["--weight", "taste=2"], "there is no modality 'taste'; choose from text, style, depth"),
        (["--weight", "depth=2"], "--weight is set for depth, but there is no --depth; give that"),
        (["--window", "taste=0:1"], "there is no modality 'taste'; choose from"),
        (["--window", "text=0.6:0.2"], "--window text=0.6:0.2: needed start:end with 0 <= start"),
        (["--window", "text=half"], "--window text=half: needed start:end"),
        (["--window", "text=0:2"], "needed start:end with 0 <= start <= end <= 1, such as text=0:"),
        (["--window", "style=0:1"], "--window is set for style, but there is no --style"),
        (["--push", "nan"], "the push is nan; it must be a finite number"),
        (["--steps", "0"], "steps is 0; it must be between 1 and 1000"),
        (["--batch", "0"], "batch is 0; it must be between 1 and"),
        (["--size", "99"], "size is 99; it must be between 1 and 8"),
        (["--seed", "-1"], "seed is -1; it must be between 0 and 2^64 - 1"),
        (["--sampler", "lms"], "argument --sampler: invalid choice: 'lms'"),
        (["--style-words", " "], "the style words are empty; say a style, such as"),
        (["--style-words", "dots", "--style", "a.png"], "both say the style; give one of them"),
        (["--style-words", "zebras"], "the embedded model does not know 'zebras'"),
        (["--out", "picture.gif"], "--out picture.gif: the name must end in .png, .jpg"),
        (["--out", "picture"], "--out picture: the name must end in"),
        (["--report", "r.txt"], "--report r.txt: the name must end in .json, .png"),
        (["--report", "out.png"], "--report out.png is the picture's own name; give it another"),
        (["--batch", "2", "--report", "./out-2.png"], "is the picture's own name"),
        (["--negative", "zebra"], "does not know 'zebra'"),
        (["--style", "none.png", "--out", "new/folder/a.png"], "none.png: found nothing, needed"),
        (["--depth", "none.png"], "none.png: found nothing, needed a picture file"),
        (["--pose", "none.json"], "none.json: found nothing, needed a JSON file"),
        (["--pose-size", "64x64"], "--pose-size is for a --pose of JSON without a canvas"),
        (["--pose", "a.png", "--pose-size", "64x64"], "is for a --pose of JSON without a canvas"),
        (["--pose", "a.json", "--pose-size", "64"], "needed width x height in pixels, such as"),
        (["--pose", "a.json", "--pose-size", "0x9"], "--pose-size 0x9: needed a value of at least"),
        (["--audio", "none.wav"], "none.wav: found nothing, needed a WAV file"),
        (["--model", "none.safetensors"], "none.safetensors: found no file; check the path"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_and_nothing_is_written(refused, arguments, words):
    refused(words, *RED, *arguments)


def test_an_unknown_word_is_refused_with_the_nearest(refused):
    refused("does not know 'starr' (nearest: star", "generate", "--text", "a red starr")


def test_nothing_given_is_refused_with_what_could_be(refused):
    refused("nothing to make a picture from; give at least one of --text, --style", "generate")


def test_what_is_probably_not_meant_is_warned_of_and_made(mmc, inputs, case):
    to_image(case.picture[0]).save(inputs / "photo.png")
    Image.new("RGB", (64, 64), (9, 90, 200)).save(inputs / "flat.png")
    write_wave(torch.zeros(16_000), inputs / "silent.wav")
    given = {"style": "flat.png", "depth": "photo.png", "pose": "photo.png", "audio": "silent.wav"}
    outcome = mmc(*RED, "--size", "2", *(a for n, f in given.items() for a in (f"--{n}", f)))
    warned = [line for line in outcome.err.splitlines() if line.startswith("warning: ")]
    assert outcome.code == 0
    assert [" ".join(line.split()[1:4]) for line in warned] == [
        "the style picture", "the depth input", "the pose input", "the sound is",
        "the picture is",
    ]  # fmt: skip
    assert (inputs / "out.png").exists()


def test_of_right_inputs_nothing_is_warned(mmc, inputs):
    names = ("style", "depth", "pose", "segmentation")
    outcome = mmc(*RED, "--audio", "audio.wav", *(a for n in names for a in (f"--{n}", f"{n}.png")))
    assert outcome.code == 0
    assert "warning" not in outcome.err


def test_openpose_its_own_json_needs_the_size_of_its_picture(mmc, refused, tmp_path):
    flat = [v for k in range(25) for v in (8.0 + 4 * k, 64.0, 1.0)]
    own = {"version": 1.3, "people": [{"pose_keypoints_2d": flat, "face_keypoints_2d": []}]}
    sized = {**own, "canvas_width": 160, "canvas_height": 128}
    (tmp_path / "own.json").write_text(json.dumps(own))
    (tmp_path / "sized.json").write_text(json.dumps(sized))
    refused("such as 1920x1080", *RED, "--pose", "own.json")
    refused("as far as x 80, y 64", *RED, "--pose", "own.json", "--pose-size", "64x64")
    mmc(*RED, "--pose", "own.json", "--pose-size", "160x128", "--out", "own.png")
    mmc(*RED, "--pose", "sized.json", "--out", "sized.png")
    assert (
        Image.open(tmp_path / "own.png").tobytes() == Image.open(tmp_path / "sized.png").tobytes()
    )


@pytest.mark.parametrize("option", ["--style", "--depth", "--pose", "--segmentation"])
def test_text_named_png_and_a_tiny_picture_are_refused_by_name(refused, tmp_path, option):
    (tmp_path / "notes.png").write_text("not a picture")
    refused("notes.png: not a picture that can be read", *RED, option, "notes.png")
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    refused("dot.png: 1 x 1 pixels are too few; needed at least 8 x 8", *RED, option, "dot.png")


def test_a_folder_in_place_of_a_picture_is_refused(refused, tmp_path):
    refused("found a folder, needed a picture file", *RED, "--style", tmp_path)


def test_a_photo_in_place_of_a_segmentation_is_refused(refused, tmp_path):
    Image.new("RGB", (64, 64), (128, 128, 128)).save(tmp_path / "photo.png")
    refused("of the pixels have none of the palette's colours", *RED, "--segmentation", "photo.png")


def test_a_truncated_model_is_refused(refused, tmp_path):
    (tmp_path / "cut.safetensors").write_bytes(SHIPPED.read_bytes()[:100_000])
    refused("cut.safetensors is truncated or not a", *RED, "--model", "cut.safetensors")


def test_a_web_page_saved_as_a_model_is_refused(refused, tmp_path):
    (tmp_path / "page.safetensors").write_text("<!doctype html><title>Sign in</title>")
    refused("page.safetensors is a web page saved as", *RED, "--model", "page.safetensors")


def test_a_place_that_cannot_be_written_to_is_refused_before_any_work(refused, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    for place in ("file/a.png", "file/folder/a.png"):
        refused("choose a folder that you may write to", *RED, "--out", place)
    refused("choose a folder that you may write to", *RED, "--report", "file/r.json")


def test_a_folder_in_place_of_a_file_name_is_refused(refused, tmp_path):
    (tmp_path / "folder.png").mkdir()
    refused("--out folder.png is a folder; give a file name in it", *RED, "--out", "folder.png")


def test_a_picture_is_written_with_its_settings(mmc, tmp_path):
    outcome = mmc(*RED, "--seed", "5", "--weight", "text=2.5", "--out", "new/a.png")
    assert outcome.code == 0
    assert outcome.out == "new/a.png\n"
    with Image.open(tmp_path / "new" / "a.png") as picture:
        assert picture.size == (128, 128)
        about = json.loads(picture.text["mmc"])
    assert about["text"] == "a red star"
    assert about["weights"] == {"text": 2.5}
    assert (about["seed"], about["steps"], about["composition"]) == (5, 1, "leave_one_out")


def test_the_cost_is_told_and_no_bar_where_nobody_watches(mmc):
    lines = mmc(*RED).err.splitlines()
    assert lines[0].startswith("sampling: done in ")
    assert lines[1:] == ["2 rows in 1 evaluations (2.00 rows each)"]


def test_a_speed_runs_fewer_rows_and_is_written_into_the_picture(mmc, tmp_path):
    common = ("generate", "--text", "a red star", "--steps", "4", "--seed", "1")
    outcome = mmc(*common, "--speed", "draft", "--correction", "renorm", "--out", "d.png")
    assert outcome.err.splitlines()[-1] == "4 rows in 4 evaluations (1.00 rows each)"
    said = json.loads(Image.open(tmp_path / "d.png").text["mmc"])
    assert (said["speed"], said["correction"]) == ("draft", "renorm")


STYLED = ("--style", "style.png", "--steps", "3", "--weight", "style=9")


def test_a_report_in_figures_tells_what_each_input_did(mmc, inputs):
    outcome = mmc(*RED, *STYLED, "--report", "new/r.json")
    assert outcome.out == "out.png\nnew/r.json\n"
    report = json.loads((inputs / "new" / "r.json").read_text())
    assert report["evaluations"] == 3
    assert report["shares"].keys() == {"text", "style"}
    assert sum(report["shares"].values()) == pytest.approx(1)
    assert report["shares"]["style"] > report["shares"]["text"]
    said = [line for line in outcome.err.splitlines() if line.startswith("warning: ")]
    assert said == [f"warning: {w}" for w in report["warnings"]] != []


def test_a_report_as_a_picture_is_a_chart(mmc, inputs):
    assert mmc(*RED, *STYLED, "--batch", "2", "--report", "r.PNG").code == 0
    with Image.open(inputs / "r.PNG") as chart:
        assert chart.format == "PNG"
        assert chart.width > 900


def test_a_report_changes_no_picture(mmc, tmp_path):
    mmc(*RED, "--out", "a.png")
    mmc(*RED, "--out", "b.png", "--report", "r.json")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_negative_without_text_is_refused(refused, inputs):
    refused(
        "there is no --text; give one, or take the option away",
        "generate", "--style", "style.png", "--negative", "a red star",
    )  # fmt: skip


def test_fast_with_a_chain_is_refused(refused):
    chain = ("generate", "--text", "a red star", "--composition", "chained", "--speed", "fast")
    refused("found chained: take leave_one_out, or the speed balanced", *chain)


def test_a_batch_is_numbered_from_1(mmc, files):
    assert mmc(*RED, "--batch", "2", "--out", "a.png").out == "a-1.png\na-2.png\n"
    assert files() == ["a-1.png", "a-2.png"]


def test_words_stand_for_a_style_picture_and_each_picture_of_a_batch_has_its_own(mmc, tmp_path):
    words = ("generate", "--steps", "2", "--style-words", "blue stripes", "--weight", "style=2")
    mmc(*words, "--seed", "7", "--batch", "2", "--out", str(tmp_path / "a.png"))
    mmc(*words, "--seed", "8", "--out", str(tmp_path / "b.png"))
    mmc(*words[:4], "red dots", *words[5:], "--seed", "7", "--out", str(tmp_path / "c.png"))
    pictures = [Image.open(tmp_path / f"{name}.png").tobytes() for name in ("a-1", "a-2", "b", "c")]
    assert len(set(pictures)) == 4
    assert json.loads(Image.open(tmp_path / "b.png").text["mmc"])["style_words"] == "blue stripes"


@pytest.mark.parametrize(
    ("seed", "batch", "seeds"),
    [(7, 3, (7, 8, 9)), (2**64 - 1, 2, (2**64 - 1, 0))],
)
def test_each_picture_of_a_batch_has_a_style_of_the_next_seed(mmc, monkeypatch, seed, batch, seeds):
    asked = []

    def recorded(priors, text, words, seeds):
        asked.append(seeds)
        return style_from_words(priors, text, words, seeds)

    monkeypatch.setattr("mm_core.cli.generate.style_from_words", recorded)
    words = ("generate", "--style-words", "blue stripes", "--steps", "1")
    outcome = mmc(*words, "--seed", seed, "--batch", batch)
    assert outcome.code == 0, outcome.err
    assert asked == [seeds]


def test_the_same_command_gives_the_same_picture(mmc, tmp_path):
    for name in ("a.png", "b.png"):
        mmc(*RED, "--out", name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize(("name", "kind"), [("a.jpg", "JPEG"), ("a.WEBP", "WEBP")])
def test_the_ending_of_the_name_is_the_format(mmc, tmp_path, name, kind):
    assert mmc(*RED, "--out", name).code == 0
    with Image.open(tmp_path / name) as picture:
        assert picture.format == kind


@pytest.mark.parametrize("pose", ["pose.png", "pose.json"])
def test_all_inputs_together_make_a_picture(mmc, inputs, pose):
    outcome = mmc(
        *RED, "--style", "style.png", "--depth", "depth.png", "--pose", pose,
        "--segmentation", "segmentation.png", "--audio", "audio.wav",
        "--weight", "audio=1", "--window", "depth=0:0.5", "--composition", "joint",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert (inputs / "out.png").is_file()


def test_an_input_of_weight_0_changes_nothing(mmc, inputs):
    mmc(*RED, "--out", "plain.png")
    mmc(*RED, "--style", "style.png", "--weight", "style=0", "--out", "idle.png")
    with Image.open(inputs / "plain.png") as plain, Image.open(inputs / "idle.png") as idle:
        assert plain.tobytes() == idle.tobytes()


def test_an_interrupted_run_leaves_no_file(mmc, files, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("mm_core.cli.generate.Progress.step", interrupted)
    outcome = mmc(*RED, "--out", "new/a.png")
    assert outcome.code == 130
    assert files() == []


def test_weights_beyond_numbers_are_refused_and_no_picture_is_written(mmc, files):
    outcome = mmc("generate", "--text", "a red star", "--weight", "text=1e300", "--steps", "1")
    assert outcome.code == 2
    assert "the picture overflowed" in outcome.err.splitlines()[-1]
    assert files() == []
