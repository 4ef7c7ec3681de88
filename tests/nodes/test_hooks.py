"""ComfyUI's hooks, which change weights for some prompts: with one text ours is core's latent."""

import pytest
import torch
from compare import off
from graph import Graph
from graph_sd15 import SD15
from random_sd15 import LORA

pytestmark = pytest.mark.host

ONE, OTHER = "a red circle", "a large blue star on the left"


def hooked(g, hooks, schedule=False):
    """The graph's CLIP with hooks, on the prompt and on what the prompt makes of the model."""
    return g.add(
        "SetClipHooks", clip=g.clip, apply_to_conds=True, schedule_clip=schedule, hooks=hooks
    )


def keyframed(g, hooks, *strengths):
    """Hooks whose strength changes at equal shares of sampling."""
    frames = {}
    for i, strength in enumerate(strengths):
        frame = g.add(
            "CreateHookKeyframe", strength_mult=strength, start_percent=i / len(strengths), **frames
        )
        frames = {"prev_hook_kf": frame}
    return g.add("SetHookKeyframes", hooks=hooks, hook_kf=frame)


def on_unet(g):
    g.model = g.add("ProbeModel")
    g.clip = hooked(g, g.add("ProbeHook", model=g.model))


def on_unet_with_keyframes(g):
    g.model = g.add("ProbeModel")
    g.clip = hooked(g, keyframed(g, g.add("ProbeHook", model=g.model), 1.0, 0.4, 0.0))


def on_the_prompt(g):
    g.clip = hooked(g, g.add("ProbeHook", clip=g.clip))


def on_the_prompt_by_schedule(g):
    """The prompt becomes several entries, each for its part of sampling."""
    g.clip = hooked(g, keyframed(g, g.add("ProbeHook", clip=g.clip), 0.0, 1.0), schedule=True)


SETUPS = (on_unet, on_unet_with_keyframes, on_the_prompt, on_the_prompt_by_schedule)


@pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: setup.__name__)
def test_with_one_text_ours_is_core(comfy, setup):
    g = Graph()
    clip = g.clip
    setup(g)
    hooks, g.clip = g.clip, clip
    g.keep(g.native(ONE, cfg=3.5, steps=6))
    g.clip = hooks
    g.keep(g.native(ONE, cfg=3.5, steps=6))
    g.keep(g.guided(g.text(ONE, weight=3.5), steps=6))
    without, core, ours = comfy.latents(g.prompt)
    assert off(core, without) > 1e-4
    assert torch.equal(core, ours)


@pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: setup.__name__)
def test_a_hook_acts_on_two_texts(comfy, setup):
    g = Graph()
    clip = g.clip
    setup(g)
    hooks, g.clip = g.clip, clip
    g.keep(g.guided(g.text(ONE), g.text(OTHER), steps=6))
    g.clip = hooks
    g.keep(g.guided(g.text(ONE), g.text(OTHER), steps=6))
    without, ours = comfy.latents(g.prompt)
    assert torch.isfinite(ours).all()
    assert off(ours, without) > 1e-4


@pytest.mark.parametrize("order", [pytest.param(1, id="first"), pytest.param(-1, id="second")])
def test_a_hook_of_one_text_of_two_is_not_lost(comfy, order):
    g = Graph()
    g.model = g.add("ProbeModel")
    hooks, clip = hooked(g, g.add("ProbeHook", model=g.model)), g.clip
    star = g.text(OTHER, weight=1.0)
    plain = g.text(ONE, weight=1.0)
    g.clip = hooks
    circle = g.text(ONE, weight=1.0)
    g.clip = clip
    g.keep(g.guided(*(plain, star)[::order], steps=3))
    g.keep(g.guided(*(circle, star)[::order], steps=3))
    without, ours = comfy.latents(g.prompt)
    assert off(ours, without) > 1e-4


def test_a_lora_file_as_a_hook_on_sd15(sd15):
    g = SD15()
    lora = g.add("CreateHookLora", lora_name=LORA, strength_model=2.0, strength_clip=0.0)
    without = g.native(ONE, cfg=3.5)
    g.clip = hooked(g, lora)
    g.keep(without)
    g.keep(g.native(ONE, cfg=3.5))
    g.keep(g.guided(g.text(ONE, weight=3.5)))
    without, core, ours = sd15.latents(g.prompt)
    assert off(core, without) > 1e-4
    assert torch.equal(core, ours)
