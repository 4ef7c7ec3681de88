"""What rides on a prompt, beside another prompt and alone: see inside_carried.py."""

import json
import subprocess

import pytest
from find_comfyui import PACK, comfyui, interpreter

pytestmark = pytest.mark.host

CARRIED = (
    "a ControlNet", "a ControlNet of Apply ControlNet", "inpainting", "a reference latent",
    "a hook", "boxes", "unCLIP", "a sound", "a range from the start", "a range from the middle",
    "an area", "a mask", "a mask that bounds an area",
)  # fmt: skip
ALONE = (
    "two negatives", "negatives with ranges", "a negative that ends",
    "Apply ControlNet, one negative", "Apply ControlNet, two negatives",
    "Apply ControlNet, negatives with ranges", "Apply ControlNet, a negative with its own",
    "two of Apply ControlNet, one negative", "boxes, two negatives", "a ControlNet in an area",
    "a ControlNet under a mask", "boxes under a mask", "a mask that bounds a negative",
    "areas on both sides", "references in an area",
)  # fmt: skip


@pytest.fixture(scope="module")
def found():
    host = comfyui()
    script = PACK / "tests" / "nodes" / "inside_carried.py"
    done = subprocess.run(
        [interpreter(host), script, PACK], cwd=host, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_cases_are_those_that_were_run(found):
    assert found["cases"].keys() == set(CARRIED)
    assert found["as KSampler"].keys() == set(ALONE)


@pytest.mark.parametrize("carried", CARRIED)
@pytest.mark.parametrize("order", ["first", "last"])
def test_what_a_prompt_carries_is_in_every_row_that_sees_it(found, carried, order):
    case = found["cases"][carried]
    assert case[order] < 1e-5
    if carried != "a range from the start":  # which is no range in the one step there is
        assert case["effect"] > 5e-3, "it does nothing here"


@pytest.mark.parametrize("carried", CARRIED)
@pytest.mark.parametrize(
    "composition", ["leave_one_out", "independent", "joint", "weighted_negative"]
)
def test_the_order_of_prompts_changes_no_picture(found, carried, composition):
    assert found["cases"][carried]["orders"][composition] < 1e-5


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("concat_latent_image", "an inpainting picture (concat_latent_image), and not the same"),
        ("guidance", "a distilled guidance (guidance), and not the same"),
        ("audio_embed", "a sound (audio_embed), and not the same"),
        ("area", "have areas or masks, and not the same"),
    ],
)
def test_what_cannot_both_act_is_said_in_either_order(found, key, words):
    one, other = found["refused"][key]
    assert words in one
    assert words in other
    assert one.startswith("a and b both")
    assert other.startswith("b and a both")


@pytest.mark.parametrize(
    "what",
    ["references", "one shared reference", "one shared picture", "ControlNets", "pooled vectors"],
)
def test_what_both_carry_is_all_there(found, what):
    assert found["both"][what] < 1e-6


@pytest.mark.parametrize("case", ["beside a second text", "beside Redux"])
def test_a_prompt_for_each_picture_stands_beside_one_for_all(found, case):
    assert found["a prompt each"][case] < 1e-5


@pytest.mark.parametrize("what", ALONE)
def test_one_prompt_is_ksamplers_whatever_its_sides_carry(found, what):
    off, again = found["as KSampler"][what]
    assert off < 1e-5
    assert again


def test_areas_are_counted_anew_for_a_latent_of_another_size(found):
    assert found["sizes"] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "case",
    ["the same", "two", "one, and none", "zeros, and none", "with and without a ControlNet"],
)
def test_negatives_of_several_prompts_stand_for_none_in_any_order(found, case):
    assert found["negatives"][case] == [True, True]


@pytest.mark.parametrize("case", ["inpainting twice", "another chain", "a mask of its own"])
def test_what_an_addition_cannot_stand_on_is_said(found, case):
    assert found["additions"]["refused"][case]


@pytest.mark.parametrize("case", ["its own prompt", "another prompt, with a ControlNet of its own"])
def test_an_added_control_net_keeps_those_that_are_there(found, case):
    assert found["additions"][case] < 1e-5


def test_prompts_of_an_encoder_that_sees_pictures_are_refused_together(found):
    for said in found["picture encoders"]["refused"]:
        assert "reads the pictures together with the words" in said
        assert "one Conditioning Modality" in said
    assert found["picture encoders"]["runs"] == ["", ""]
