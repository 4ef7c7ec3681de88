"""Held-out scenes as inputs: what is silent is silent, what is given is the scene's own."""

import torch

from mm_core.embedded.model import MODALITIES
from mm_core.embedded.scenes.dataset import make_scenes
from mm_core.evaluation.cases import HELD_OUT_SEED, encode_case, held_out, null_text


def test_held_out_scenes_are_those_of_their_seed():
    expected = make_scenes(8, HELD_OUT_SEED)
    found = held_out(6)
    assert len(found) == 6
    assert torch.equal(found.picture * 255, expected.picture[:6].float())
    assert found.prompts == [c[0] for c in expected.captions[:6]]


def test_the_style_picture_is_another_scene_of_the_same_style():
    expected = make_scenes(8, HELD_OUT_SEED).small.float() / 255
    found = held_out(8).style_picture
    assert all(any(torch.equal(found[i], expected[k]) for k in range(i // 4 * 4, i // 4 * 4 + 4)
                   if k != i) for i in range(8))  # fmt: skip


def test_a_scene_is_heard_or_silent_as_its_content_says(case):
    loud = case.wave.abs().amax(1) > 0
    assert torch.equal(loud, case.truth.content.note >= 0)


def test_every_input_is_encoded_or_those_chosen(shipped, case):
    assert tuple(encode_case(shipped, case)) == MODALITIES
    assert tuple(encode_case(shipped, case, ["depth", "text"])) == ("text", "depth")


def test_what_a_scene_lacks_is_silent(shipped, case):
    encoded = encode_case(shipped, case, ["pose", "audio"])
    nobody, silent = ~case.truth.content.has[:, 2], case.truth.content.note < 0
    assert not encoded["pose"].fine[nobody].any()
    assert encoded["pose"].fine[~nobody].flatten(1).any(1).all()
    assert torch.equal(encoded["audio"].present, (~silent).float())


def test_the_null_text_is_the_empty_prompt_of_every_case(shipped, case):
    assert torch.equal(encode_case(shipped, case, ["text"])["text"].null, null_text(shipped))
