"""The example workflows run, and the first gives the picture of the command line."""

import json
import subprocess
import sys

import pytest
from compare import psnr, shows_something
from find_comfyui import ASSETS, PACK
from PIL import Image

pytestmark = pytest.mark.host

FOLDER = PACK / "example_workflows" / "api"
FILES = sorted(FOLDER.glob("*.json"))


def test_there_are_workflows():
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_workflow_runs(comfy, path):
    made = comfy.images(json.loads(path.read_text()))
    assert made
    assert all(shows_something(picture) for picture in made)


def test_the_first_workflow_is_mmc_generate(comfy, tmp_path):
    prompt = json.loads((FOLDER / "01-four-inputs.json").read_text())
    nodes = {node["class_type"]: node["inputs"] for node in prompt.values()}
    sampler = nodes["MMC_KSampler"]
    sampler["steps"] = 12
    decoded = next(i for i, node in prompt.items() if node["class_type"] == "VAEDecode")
    nodes["SaveImage"]["images"] = [decoded, 0]  # before it is enlarged
    (theirs,) = comfy.images(prompt)

    options = ["--text", nodes["MMC_Text"]["text"], "--seed", str(sampler["seed"])]
    options += ["--steps", str(sampler["steps"]), "--sampler", sampler["sampler_name"]]
    options += ["--schedule", sampler["scheduler"], "--composition", sampler["composition"]]
    options += ["--weight", f"text={nodes['MMC_Text']['weight']}"]
    for name, kind in (("style", "MMC_StyleImage"), ("depth", "MMC_Depth"), ("pose", "MMC_Pose")):
        options += [f"--{name}", str(ASSETS / f"mmc_{name}.png")]
        options += ["--weight", f"{name}={nodes[kind]['weight']}"]
    out = tmp_path / "ours.png"
    subprocess.run(
        [sys.executable, "-m", "mm_core", "generate", *options, "--out", str(out)],
        cwd=PACK, check=True, capture_output=True,
    )  # fmt: skip
    with Image.open(out) as ours:
        assert psnr(ours, theirs) >= 48  # the command line rounds to 8 bit, SaveImage cuts off
