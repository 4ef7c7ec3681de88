"""Every kind of model that Load CLIP Vision opens, against every way of reading it; see
inside_vision.py."""

import json
import subprocess

import pytest
from find_comfyui import PACK, comfyui, interpreter

pytestmark = pytest.mark.host

READ = ("tokens", "last tokens", "one vector")
WHOLE = ("CLIP", "LLaVA's CLIP", "DINOv2", "DINOv2 giant")
SIGLIP = ("SigLIP", "NaFlex SigLIP 2")
DINO3 = ("DINOv3", "DINOv3 huge")  # newer hosts alone open it
GIVEN = {
    **{name: READ for name in WHOLE},
    **{name: READ[:2] for name in SIGLIP},
    **{name: READ[1:] for name in DINO3},
}


@pytest.fixture(scope="module")
def found():
    host = comfyui()
    script = PACK / "tests" / "nodes" / "inside_vision.py"
    done = subprocess.run(
        [interpreter(host), script, PACK], cwd=host, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def of(found):
    def one(name):
        if name in DINO3 and name not in found["models"]:
            pytest.skip("this ComfyUI opens no DINOv3")
        return found["models"][name]

    return one


def test_every_kind_is_tried(found):
    assert set(found["models"]) in ({*WHOLE, *SIGLIP}, {*WHOLE, *SIGLIP, *DINO3})


@pytest.mark.parametrize("name", GIVEN)
def test_what_is_read_is_what_transformers_gives(of, name):
    """1e-4: two ways to the same attention, in float32, over three layers."""
    here = of(name)
    for read in GIVEN[name]:
        assert here[read] < 1e-4, read
        assert here[f"{read} of frames"] < 1e-4, read
        if name not in SIGLIP:
            assert here[f"{read}, its vector"] < 1e-4, read
    assert here["grey"] == 0


@pytest.mark.parametrize("name", SIGLIP)
def test_siglip_without_its_pooling_gives_no_vector_and_says_who_does(of, name):
    assert of(name)["one vector"] == (
        "the vision model gives a token for each patch and no vector, as ComfyUI's SigLIP does, "
        "from which the pooling is left out: read 'tokens' or 'last tokens', or open the model's "
        "whole folder with Load Encoder and connect encoder"
    )


@pytest.mark.parametrize("name", DINO3)
def test_dinov3_has_no_tokens_before_the_last_layer_and_says_so(of, name):
    assert of(name)["tokens"] == (
        "the vision model gives no penultimate_hidden_states, which 'tokens' reads: choose 'last "
        "tokens' or 'one vector'"
    )


@pytest.mark.parametrize("name", GIVEN)
def test_an_adapter_refuses_another_family_of_the_same_width(of, name):
    here = of(name)
    refused = {label: here[label] is not None for label in here if " for " in label}
    assert refused == {
        "image_embeds for CLIP": "CLIP" not in name,
        "penultimate for CLIP": "CLIP" not in name,
        "penultimate for SigLIP": name != "SigLIP",
    }


def test_an_adapter_refuses_an_encoder_of_ours_of_another_family(found):
    assert found["encoders"] == {
        "clip for CLIP-H": None,
        "clip for SigLIP so400m": "adapter.safetensors needs pooled 32 (SigLIP so400m), and "
        "encoder is one of CLIP vision: load SigLIP so400m",
        "siglip for CLIP-H": "adapter.safetensors needs image_embeds 32 (CLIP-H), and encoder is "
        "one of SigLIP: load CLIP-H",
        "siglip for SigLIP so400m": None,
        "dinov2 for CLIP-H": "adapter.safetensors needs image_embeds 32 (CLIP-H), and encoder is "
        "one of DINOv2: load CLIP-H",
        "dinov2 for SigLIP so400m": "adapter.safetensors needs pooled 32 (SigLIP so400m), and "
        "encoder is one of DINOv2: load SigLIP so400m",
    }


def test_a_vector_that_is_as_wide_as_its_tokens_is_no_clips(found):
    assert found["spaces"] == {
        "None": "OpenCLIP ViT-H/14", "1280": "OpenCLIP ViT-H/14", "1024": "an unknown encoder",
    }  # fmt: skip


def test_an_output_with_less_in_it_is_refused_in_one_sentence(found):
    nothing = "the vision model gives nothing that can be read, neither tokens nor last tokens nor "
    assert all(said.startswith(nothing) for said in found["bare"])


def test_a_heard_sound_without_tokens_is_refused_in_one_sentence(found):
    begin = "audio_encoder_output holds no tokens of (sounds, tokens, width) as encoded_audio: "
    assert [said.startswith(begin) for said in found["unheard"]] == [True] * 3
