"""Image prompts on Flux, SD3.5 and Kolors, run inside the host: see inside_transformers.py."""

import json
import re
import subprocess

import pytest
from find_comfyui import PACK, comfyui, interpreter

pytestmark = pytest.mark.host

KINDS = ("xlabs", "instantx", "sd35")


@pytest.fixture(scope="module")
def found():
    host = comfyui()
    script = PACK / "tests" / "nodes" / "inside_transformers.py"
    done = subprocess.run(
        [interpreter(host), script, PACK], cwd=host, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_what_its_formulas_say_on_the_hosts_own_modules(found, kind):
    here = found[kind]
    assert here["acts"] > 0.1
    assert here["off"] < 1e-5
    assert here["half as loud"] < 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_silent_it_is_no_adapter_bit_for_bit(found, kind):
    assert found[kind]["weight 0"]
    assert found[kind]["strength 0"]


@pytest.mark.parametrize("kind", KINDS)
def test_its_guidance_weight_counts_from_rows_with_and_without_it(found, kind):
    assert found[kind]["rows"] < 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_runs_on_one_model_do_not_see_each_other(found, kind):
    assert found[kind]["again"]
    assert found[kind]["without again"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_mask_says_where_it_is_heard(found, kind):
    here = found[kind]
    assert here["mask of ones"] < 1e-6
    assert here["mask of zeros"] < 1e-6
    assert min(here["half a mask"]) > 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_several_pictures_and_layers_act_each_in_its_own_way(found, kind):
    here = found[kind]
    assert here["two pictures"] > 0.01
    assert here["layers"] > 0.01
    assert here["one each"] < 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_adapters_stack(found, kind):
    assert found[kind]["twice"] < 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_the_plain_way_is_the_same(found, kind):
    assert found[kind]["native"] < 1e-6


@pytest.mark.parametrize("kind", ["xlabs", "sd35"])
def test_another_packs_block_goes_on_acting(found, kind):
    assert min(found["chained"][kind]) > 0.01


@pytest.mark.parametrize("kind", ["xlabs", "instantx"])
def test_a_mask_lies_over_the_picture_and_not_over_reference_latents(found, kind):
    acts, ones, zeros = found["reference latents"][kind]
    assert acts > 0.1
    assert max(ones, zeros) < 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_weight_types_of_unets_are_refused(found, kind):
    assert found[kind]["weak"].startswith("weight type 'weak input' is for UNets")


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("flux on a unet", "is for Flux, but the model is a UNet that reads width 128"),
        ("sd35 on flux", r"is for SD3\.5, but the model is Flux"),
        ("flux on sd35", "is for Flux, but the model is SD3"),
        ("too few blocks", r"\(2 blocks of width 128\), but the model is SD3 \(3 of width 128\)"),
        ("medium", "load SD3.5 Large"),
        ("scaling", r"undoes scaling 'K\+V'"),
        ("image weights", "leave image_weights empty"),
        ("pooled", "needs pooled 32.*connect encoder in place of clip_vision"),
        ("another encoder", "needs image_embeds 48 .* gave features of width 32"),
        ("hidden states", "connect clip_vision in place of encoder"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(found, case, words):
    assert re.search(words, found["wrong"][case])
    assert "\n" not in found["wrong"][case]


def test_face_tokens_of_kolors_pass_through_the_models_own_projection(found):
    here = found["kolors"]
    assert (here["model"], here["layers"]) == ("Kolors", 70)
    assert here["off"] < 1e-5
    assert "this model has none (encoder_hid_proj)" in here["without"]


def test_pictures_of_every_kind_are_read_by_their_colours(found):
    here = found["pictures"]
    assert max(here[kind] for kind in ("alpha", "grey", "batch")) < 1e-5
    assert here["tiles"] == [2, 3, 48]  # three squares of each of two pictures
    assert here["pad"] == [2, 1, 48]


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("none", "holds no picture"),
        ("not finite", "not finite numbers"),
        ("two channels", "1, 3 or 4 channels"),
    ],
)
def test_what_is_no_picture_is_refused(found, case, words):
    assert words in found["pictures"][case]


@pytest.mark.parametrize("kind", KINDS)
def test_each_image_has_a_picture_of_its_own_and_one_to_push_away_from(found, kind):
    here = found[kind]
    assert here["one each, none"] < 1e-5
    assert here["one each, away"] < 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_negative_pictures_are_combined_as_pictures_are(found, kind):
    """Away from itself there is no push; two count alike, whatever their order."""
    here = found[kind]
    assert here["away from itself"] < 1e-5
    first, second, turned = here["two to push away from"]
    assert min(first, second) > 1e-3
    assert turned < 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_and_masks_are_one_or_as_many_as_images(found, kind):
    here = found[kind]
    for way in ("too few", "too few, native"):
        assert "the style input has a batch of 2 where 3 pictures are made" in here[way]
    assert "the attention_mask of the style input has a batch of 3 where 2" in here["masks"]


def test_a_face_that_never_acts_leaves_the_weights_as_they_are(found):
    assert found["faces"]["acts"] > 1e-3
    assert found["faces"]["never"] == [True] * 3


@pytest.mark.parametrize(
    ("part", "case", "words"),
    [
        ("faces", "negative", "leave negative_image empty"),
        ("faces", "shape", r"found \(1, 2, 16\)"),
        ("faces", "not finite", "not finite"),
        ("settings", "identity", "reads no face embedding"),
        ("settings", "negative weight", "connect it to negative_image"),
        ("settings", "nan mask", "attention_mask .* not finite"),
        ("settings", "no mask", r"attention_mask .* is \(0, 8, 8\)"),
        ("settings", "flat mask", r"attention_mask .* is \(1, 0, 8\)"),
        ("settings", "too many away", "3 negative pictures for 2 pictures"),
        ("settings", "weight's mask", "the mask of the style input .* not finite"),
        ("settings", "no adapter", "the style input has strength set, for an ip_adapter"),
    ],
)
def test_what_means_nothing_is_refused(found, part, case, words):
    assert re.search(words, found[part][case])


def test_tiles_of_a_picture_stay_with_their_image(found):
    assert found["settings"]["tiles"] < 1e-5
