"""Batches that are cut, when inputs act, weights for each image, caches and speeds, run inside the
host: see inside_guide.py."""

import json
import subprocess

import pytest
from find_comfyui import PACK, comfyui, interpreter

pytestmark = pytest.mark.host

CLOSE = 1e-5  # of the largest value: batches of other sizes round otherwise


@pytest.fixture(scope="module")
def found():
    host = comfyui()
    script = PACK / "tests" / "nodes" / "inside_guide.py"
    done = subprocess.run(
        [interpreter(host), script, PACK], cwd=host, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    "case",
    [
        "a map each", "a map each, in a loop", "four maps, in turn, of a native ControlNet",
        "a picture each", "a picture each, and what stands for none",
        "a picture each, by native samplers", "a map and a picture each, on the embedded model",
    ],
)  # fmt: skip
def test_every_frame_under_context_windows_is_the_one_without(found, case):
    frames = found["frames"]
    assert frames["maps differ"] > 1e-2
    assert max(frames[case]) < CLOSE


def test_windows_ranges_and_schedules_begin_and_end_as_the_host_decides(found):
    decisions = found["decisions"]
    assert decisions["asked"] > 1e4
    assert decisions["wrong"] == 0, decisions["first"]


def test_a_range_on_a_flow_model_is_run_at_as_many_steps_as_by_the_host(found):
    for shift, (ours, hosts) in found["steps of a range"].items():
        assert ours == hosts > 0, f"shift {shift}"


@pytest.mark.parametrize(
    "case",
    [
        "leave_one_out, none", "independent, none", "chained, none", "nested, none",
        "joint, none", "weighted_negative, none", "perp_neg, none", "leave_one_out, apg",
    ],
)  # fmt: skip
def test_a_picture_of_a_batch_is_the_one_that_its_weights_make_alone(found, case):
    assert max(found["weights"][case]) < CLOSE


def test_under_flux_kv_cache_every_row_hears_its_own_references(found):
    cached = found["flux cache"]
    assert cached["off"] < CLOSE
    assert cached["moved"] > 1e-3


def test_a_network_that_keeps_the_start_of_a_prompt_keeps_one_for_each_set_of_rows(found):
    assert found["prefixes"] == [[], [], ["a"], []]


def test_a_sampler_that_keeps_one_row_is_refused_where_there_are_more(found):
    if found["autoregressive"] is not None:  # not in 0.20.0
        assert found["autoregressive"].startswith(
            "the sampler ar_video keeps the frames before for one row only, and this graph has 2"
        )


@pytest.mark.parametrize(
    "case",
    [
        "res_multistep 6 fast", "dpmpp_2m_cfg_pp 6 balanced", "dpmpp_2m_sde_gpu 6 fast",
        "uni_pc 6 balanced", "euler 3 balanced",
    ],
)  # fmt: skip
def test_where_a_speed_does_harm_exact_is_run_and_the_report_says_so(found, case):
    off, said, kept = found["speeds"][case]
    assert off == 0
    assert len(said) == 1
    assert "so exact was run" in said[0]
    assert kept == []


def test_where_a_speed_may_be_trusted_it_is_run(found):
    off, said, _ = found["speeds"]["euler 6 fast"]
    assert off > 1e-4
    assert said == []


def test_a_sampler_of_another_pack_runs_exact_whatever_it_is_called(found):
    (said,) = [s for s in found["speeds"]["of another pack"] if "speed" in s]
    assert said.startswith("the speed fast was not measured under this sampler, so exact was run")
    assert found["speeds"]["next run"] == ["", "weighted_negative"]


def test_bad_numbers_name_their_input(found):
    window, mine, weights = found["bad windows"]
    assert window.startswith("depth: the window runs from 0.6 to 0.2; both ends must lie in 0..1")
    assert mine.startswith("mine: the window runs")
    assert weights.startswith("depth: weights: 'x' is no number")
