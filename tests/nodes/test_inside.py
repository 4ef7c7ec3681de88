"""Several devices, streams and windows, run inside the host: see inside_runs.py."""

import json
import subprocess

import pytest
from find_comfyui import PACK, comfyui, interpreter

pytestmark = pytest.mark.host


@pytest.fixture(scope="module")
def found():
    host = comfyui()
    script = PACK / "tests" / "nodes" / "inside_runs.py"
    done = subprocess.run(
        [interpreter(host), script, PACK], cwd=host, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_rows_may_be_dealt_to_two_devices(found, comfy):
    two = found["two devices"]
    if two is None:
        version = comfy.get("/system_stats")["system"]["comfyui_version"]
        assert version.startswith("0.20."), "several devices came with 0.23"
        return
    assert two["off"] < 1e-5
    assert two["rows there"] == [2, 2, 2]  # of 4


def test_windows_over_a_latent_act_and_stay_finite(found):
    assert found["windows"]["finite"]
    assert found["windows"]["off"] > 1e-3


@pytest.mark.parametrize(("case", "batch"), [("streams", 1), ("streams, a weight each", 2)])
def test_a_latent_of_several_streams_comes_out_whole(found, case, batch):
    assert found[case] == [[[batch, 4, 3, 8, 8], [batch, 2, 5]], True]


def test_a_mask_on_several_streams_is_refused(found):
    assert found["streams, a mask"].startswith("this latent holds several streams")


def test_a_row_of_a_part_of_the_picture_gets_that_part_of_a_mask(found):
    """Each place of a 4 x 6 latent is the mean of 2 x 2 pixels of 8 x 12, counted row by row."""
    cut, whole = found["mask of a part"]
    places = [[24 * r + 2 * c + 6.5 for c in range(6)] for r in range(4)]
    assert cut == [[[row[:3] for row in places[2:]]]] * 2  # one for each image of the batch
    assert whole


def test_two_graphs_on_one_model_do_not_see_each_other(found):
    assert found["again"]
    assert found["other again"]
