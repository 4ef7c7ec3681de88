"""Names of pictures and reports, and what is written there."""

import json
from pathlib import Path

import pytest
from PIL import Image

from mm_core.cli.saving import check_report, pictures, save_picture
from mm_core.errors import InputError


def test_one_picture_keeps_its_name_and_more_are_numbered(tmp_path):
    assert pictures(tmp_path / "a.png", 1) == [tmp_path / "a.png"]
    assert pictures(tmp_path / "a.b.JPG", 3) == [tmp_path / f"a.b-{i}.JPG" for i in (1, 2, 3)]
    assert list(tmp_path.iterdir()) == []


def test_endings_of_no_format_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"--out .*a.gif: the name must end in .png, .jpg, .jpeg"):
        pictures(tmp_path / "a.gif", 1)
    with pytest.raises(InputError, match=r"--report .*a.txt: the name must end in .json, .png"):
        check_report(tmp_path / "a.txt", [])


def test_a_report_does_not_take_a_picture_s_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_report(Path("a.png"), [Path("a-1.png")])
    with pytest.raises(InputError, match="is the picture's own name; give it another one"):
        check_report(Path("x/../a-1.png"), [Path("a-1.png")])


@pytest.mark.parametrize(("name", "kind"), [("a.PNG", "PNG"), ("a.jpeg", "JPEG")])
def test_a_png_carries_its_settings(tmp_path, name, kind):
    save_picture(Image.new("RGB", (8, 4), (9, 200, 30)), tmp_path / name, {"text": "a star"})
    with Image.open(tmp_path / name) as found:
        assert (found.format, found.size) == (kind, (8, 4))
        told = getattr(found, "text", {}).get("mmc")
    assert told == (json.dumps({"text": "a star"}) if kind == "PNG" else None)
