"""Image prompts beside what else the host does: hooks, areas, previews."""

import pytest
from compare import off
from test_hooks import hooked, keyframed
from test_ip_adapter import Prompted, latents

pytestmark = pytest.mark.host

ONE, OTHER = "a red circle", "a blue star"


def applied(g, positive, style, **sampling):
    """KSampler on what Apply Image Prompt gives."""
    node, _ = g.add(
        "MMC_ApplyImagePrompt", model=g.model, positive=positive, negative=g.words(),
        modality=style,
    )  # fmt: skip
    return g.add(
        "KSampler", model=[node, 0], positive=[node, 1], negative=[node, 2], cfg=3.0,
        **g.sampling(**sampling),
    )  # fmt: skip


def joint(g, positive, style, **sampling):
    """The same by our sampler."""
    text = g.add(
        "MMC_Condition", conditioning=positive, absent=g.words(), name="text", weight=3.0,
        start=0.0, end=1.0,
    )  # fmt: skip
    return g.guided(text, style, composition="joint", **sampling)


@pytest.mark.parametrize("frames", [(), (1.0, 0.4, 0.0)], ids=["whole", "keyframes"])
def test_a_lora_hook_acts_beside_a_picture(adapters, frames):
    g = Prompted()
    without = joint(g, g.words(ONE), g.style(weight=3.0))
    hooks = g.add("ProbeHook", model=g.model)
    g.clip = hooked(g, keyframed(g, hooks, *frames) if frames else hooks)
    unhooked, core, ours = latents(
        adapters, g, without, applied(g, g.words(ONE), g.style()),
        joint(g, g.words(ONE), g.style(weight=3.0)),
    )  # fmt: skip
    assert off(core, unhooked) > 1e-4
    assert off(ours, core) < 1e-5


@pytest.mark.parametrize(("width", "height"), [(192, 320), (104, 72)], ids=["40 x 24", "9 x 13"])
def test_areas_and_a_mask_on_a_picture_meet_in_both_ways_to_sample(adapters, width, height):
    """Two areas that overlap, a picture that is heard in the left half, no square and odd sides."""
    g = Prompted()

    def area(prompt, x):
        return g.add(
            "ConditioningSetAreaPercentage", conditioning=g.words(prompt), width=0.6, height=0.7,
            x=x, y=x / 2, strength=1.0,
        )  # fmt: skip

    both = g.add(
        "ConditioningCombine", conditioning_1=area(ONE, 0.0), conditioning_2=area(OTHER, 0.4)
    )
    left = g.add(
        "MaskComposite", destination=g.add("SolidMask", value=0.0, width=width, height=height),
        source=g.add("SolidMask", value=1.0, width=width // 2, height=height), x=0, y=0,
        operation="add",
    )  # fmt: skip
    given = {"latent_image": g.empty(width, height)}
    whole, core, ours = latents(
        adapters, g, joint(g, both, g.style(weight=3.0), **given),
        applied(g, both, g.style(attention_mask=left), **given),
        joint(g, both, g.style(weight=3.0, attention_mask=left), **given),
    )  # fmt: skip
    assert off(core, whole) > 1e-3
    assert off(ours, core) < 1e-4


def test_previews_arrive_while_a_picture_is_heard(adapters):
    g = Prompted()
    frames = []
    g.keep(g.guided(g.text(ONE, weight=3.0), g.style(), steps=8, seed=403))
    adapters.run(g.prompt, on_bytes=frames.append)
    assert any(frame[:4] == (1).to_bytes(4, "big") for frame in frames)
