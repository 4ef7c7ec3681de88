"""Where image prompts act, layer by layer, and on two devices: see inside_prompts.py."""

import json
import subprocess

import pytest
from find_comfyui import PACK, comfyui, interpreter

pytestmark = pytest.mark.host

LATENTS = (
    "tall", "wide, two masks", "odd", "an area", "an odd area of an odd latent",
    "an area at the edge, two masks",
)  # fmt: skip


@pytest.fixture(scope="module")
def found():
    host = comfyui()
    script = PACK / "tests" / "nodes" / "inside_prompts.py"
    done = subprocess.run(
        [interpreter(host), script, PACK], cwd=host, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("route", ["guider", "applied"])
@pytest.mark.parametrize("latent", LATENTS)
def test_a_mask_lies_on_every_layers_true_grid(found, latent, route):
    """Each place of a layer hears the mean of the mask over the places of the latent it stands for:
    of those of its area, where a prompt has one."""
    error, effect = found["masks"][f"{latent}, {route}"]
    assert effect > 1e-2
    assert error < 1e-4


def test_rows_with_pictures_may_be_dealt_to_two_devices(found, comfy):
    two = found["two devices"]
    if two is None:
        version = comfy.get("/system_stats")["system"]["comfyui_version"]
        assert version.startswith("0.20."), "several devices came with 0.23"
        return
    off, rows = two
    assert off < 1e-5
    assert rows == [2, 2, 2]  # of 4


def test_every_device_has_a_copy_of_its_own(found):
    keys, biases, same = found["copies"]
    assert keys == biases == ["cpu", "meta", "cpu", "meta"]
    assert same == [True, True]  # moved once
