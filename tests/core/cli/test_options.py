"""Options that hold more than a number."""

import os

import pytest

from mm_core.cli import options
from mm_core.errors import InputError
from mm_core.types import Window


def test_weights_are_read_by_name_and_the_last_one_counts():
    assert options.weights(["text=5", "style=-0.5", "text=3"]) == {"text": 3.0, "style": -0.5}


def test_windows_are_read_by_name():
    assert options.windows(["depth=0:0.6", "text=.5:1"]) == {
        "depth": Window(0.0, 0.6), "text": Window(0.5, 1.0),
    }  # fmt: skip


@pytest.mark.parametrize("item", ["text=", "text=inf", "text=1,5", "text=1:2"])
def test_a_weight_that_is_no_number_is_refused_with_an_example(item):
    with pytest.raises(InputError, match="is not a finite number; give one like text=2"):
        options.weights([item])


@pytest.mark.parametrize("item", ["text=0.5", "text=:", "text=nan:1", "text=-1:1", "text=0:1:1"])
def test_a_window_that_is_none_is_refused_with_an_example(item):
    with pytest.raises(InputError, match=r"such as text=0:0\.6"):
        options.windows([item])


def test_a_place_for_a_file_is_checked_and_left_as_it_was(tmp_path):
    path = tmp_path / "new" / "folder" / "a.png"
    assert options.writable(path) == path
    assert list(tmp_path.iterdir()) == []


def test_a_place_for_files_is_made(tmp_path):
    options.writable_folder(tmp_path / "new" / "folder")
    assert (tmp_path / "new" / "folder").is_dir()
    assert list((tmp_path / "new" / "folder").iterdir()) == []


def test_a_file_in_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file is a file; give a folder"):
        options.writable_folder(tmp_path / "file")


def test_a_pipe_or_device_is_never_replaced_by_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"--json .*pipe is a pipe or device; give a file name"):
        options.writable(tmp_path / "pipe", "--json")


def test_a_path_below_a_file_names_option_and_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"--html .*b: cannot write to .*file \(not a folder\)"):
        options.writable(tmp_path / "file" / "b", "--html")


def test_parts_are_names_between_commas():
    assert options.parts(" b,a ,", ("a", "b", "c")) == ["b", "a"]
    with pytest.raises(InputError, match="--parts d,e: needed a value among a, b"):
        options.parts("d,a,e", ("a", "b"))
    with pytest.raises(InputError, match="--parts ' ,': needed a value among a, b"):
        options.parts(" ,", ("a", "b"))


@pytest.mark.parametrize("option", ["markdown", "image", "json"])
def test_each_place_is_checked_and_the_document_is_read(tmp_path, option):
    (tmp_path / "a.md").write_text("said", encoding="utf-8")
    assert options.places(tmp_path / "a.md", tmp_path / "b.png", "-") == "said"
    assert options.places(None, None, None) == ""
    given = {"markdown": None, "image": None, "json": None}
    place = tmp_path / "a.md" / "below"
    given[option] = str(place) if option == "json" else place
    with pytest.raises(InputError, match=f"--{option} .*(cannot be read|choose a folder that you)"):
        options.places(**given)
