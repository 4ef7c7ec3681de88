"""What is probably not meant is said on its node and in the log, and a picture is made still."""

import pytest
from compare import shows_something
from graph import KINDS, Graph

pytestmark = pytest.mark.host

TEXT = (3).to_bytes(4, "big")  # the host's kind of message for text on a node


def shown(comfy, prompt):
    """Text on nodes, by id, in order; and the pictures."""
    seen = []
    pictures = comfy.images(prompt, on_bytes=seen.append)
    texts = []
    for message in (m[4:] for m in seen if m[:4] == TEXT):
        length = int.from_bytes(message[:4], "big")
        texts.append((message[4 : 4 + length].decode(), message[4 + length :].decode()))
    return texts, pictures


def test_of_the_shipped_inputs_and_size_nothing_is_said(comfy):
    g = Graph()
    inputs = [g.text(), *(g.picture(name) for name in KINDS), g.sound()]
    g.save(g.guided(*inputs, steps=1))
    g.save_image(g.add("MMC_EncodeDepth", image=g.asset("depth")))
    texts, _ = shown(comfy, g.prompt)
    assert not any(text for _, text in texts)


def test_a_photo_a_flat_style_silence_and_another_size_are_warned_of(comfy):
    g = Graph()
    flat = g.add("EmptyImage", width=64, height=64, batch_size=1, color=255)
    silence = g.add("EmptyAudio", duration=1.0, sample_rate=16000, channels=2)
    strength = {"weight": 1.5, "start": 0.0, "end": 1.0, "adapters": g.adapters}
    depth = g.picture("depth", asset="style")
    pose = g.picture("pose", asset="style")
    style = g.add("MMC_StyleImage", image=flat, **strength)
    sound = g.add("MMC_Audio", audio=silence, **strength)
    made = g.guided(
        g.text(), depth, pose, style, sound, steps=1, latent_image=g.empty(256, 192)
    )  # fmt: skip
    g.save(made)
    drawn = g.add("MMC_EncodeDepth", image=g.asset("style"), width=256, height=192)
    g.save_image(drawn)
    grey = g.add("ProbePicture", number=1, height=192, width=256, channels=3, nan=False)
    painted = g.add("MMC_EncodeSegmentation", image=grey)
    g.save_image(painted)
    texts, pictures = shown(comfy, g.prompt)
    said = dict(texts)
    begins = {
        depth[0]: "the depth input is in colour",
        pose[0]: "the pose input is no skeleton",
        style[0]: "the style picture is one colour throughout",
        sound[0]: "the sound is silent",
        made[0]: "the picture is 256 x 192, and this model was trained on 128 x 128 alone",
        drawn[0]: "the depth input is in colour",
        painted[0]: "more than half of the segmentation's pixels are in none of ADE20K's colours",
    }
    assert set(said) == set(begins)
    for node, begin in begins.items():
        assert said[node].startswith(f"Warning: {begin}")
        assert begin in comfy.tail(400)
    assert len(pictures) == 3
    assert shows_something(pictures[0])


def test_a_warning_goes_once_it_is_no_longer_true(comfy):
    g = Graph()
    depth = g.picture("depth", asset="style", weight=1.37)  # which no run before had
    g.save(g.guided(g.text(), depth, steps=1))
    (warned,), _ = shown(comfy, g.prompt)
    assert warned[0] == depth[0]
    g.prompt[depth[0]]["inputs"]["image"] = g.asset("depth")
    assert shown(comfy, g.prompt)[0] == [(depth[0], "")]
