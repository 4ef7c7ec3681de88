"""Settings that stand above a folder's own, and the folder left as it was."""

import json

import pytest
import tiny_estimators as tiny

from mm_core.encoders.altered import load_altered
from mm_core.errors import InputError


@pytest.fixture
def folder(tmp_path):
    tiny.processor("DPTImageProcessor", tmp_path, size={"height": 32, "width": 48})
    (tmp_path / "config.json").write_text('{"model_type": "dpt"}')
    return tmp_path


@pytest.mark.usefixtures("transformers")
def test_a_setting_of_ours_stands_above_the_folders(folder):
    before = (folder / "preprocessor_config.json").read_text()
    found = load_altered(folder, ensure_multiple_of=16)
    assert found.ensure_multiple_of == 16
    assert (found.size["height"], found.size["width"]) == (32, 48)
    assert (folder / "preprocessor_config.json").read_text() == before


@pytest.mark.usefixtures("transformers")
def test_settings_within_a_processors_are_found(folder):
    path = folder / "preprocessor_config.json"
    said = {"image_processor": json.loads(path.read_text()), "processor_class": "None"}
    path.unlink()
    (folder / "processor_config.json").write_text(json.dumps(said))
    found = load_altered(folder, do_normalize=False)
    assert (found.do_normalize, found.size["width"]) == (False, 48)


@pytest.mark.parametrize("content", ["[1]", "{", '{"image_processor": 3}'])
def test_settings_that_are_none_are_refused(folder, content):
    (folder / "preprocessor_config.json").write_text(content)
    with pytest.raises(InputError, match="is no table of settings; download it again"):
        load_altered(folder)


def test_a_folder_without_settings_is_refused(folder):
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(InputError, match=r"found no preprocessor_config.json"):
        load_altered(folder)
