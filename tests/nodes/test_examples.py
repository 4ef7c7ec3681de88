"""Example Inputs gives what the host's loaders give for the same files, wherever the pack is."""

import json
import shutil
import subprocess

import pytest
from find_comfyui import PACK, comfyui, interpreter

from mm_core.encoders.examples import SCENES

pytestmark = pytest.mark.host


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """From a copy of what the registry publishes, in a folder with another name."""
    unpublished = {line.strip("/") for line in (PACK / ".comfyignore").read_text().split()}
    copy = tmp_path_factory.mktemp("elsewhere") / "Some pack-1.0"
    copy.mkdir()
    for part in PACK.iterdir():
        if part.name in unpublished or part.name.startswith(".") or part.name == "out":
            continue
        take = shutil.copytree if part.is_dir() else shutil.copyfile
        take(part, copy / part.name)
    host = comfyui()
    script = PACK / "tests" / "nodes" / "inside_examples.py"
    done = subprocess.run(
        [interpreter(host), script, copy], cwd=host, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("scene", SCENES)
def test_its_outputs_are_those_of_load_image_and_load_audio(found, scene):
    equal = found[scene]["equal"]
    assert len(equal) == 8
    assert [name for name, same in equal.items() if not same] == []


@pytest.mark.parametrize("scene", SCENES)
def test_it_shows_its_four_pictures(found, scene):
    assert found[scene]["shown"] == 4


def test_a_missing_file_is_named_in_one_sentence(found):
    said = found["missing"]
    assert said.endswith(
        "mmc_depth.png: found nothing, needed an example input that comes with this pack; "
        "install the pack again"
    )
