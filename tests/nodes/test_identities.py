"""Where core can say the same, ours is the same: latents compared as they are."""

import pytest
import torch
from compare import off
from graph import Graph

pytestmark = pytest.mark.host

ONE, OTHER = "a red circle", "a large blue star on the left"
HOOKS = {
    "no hook": None,
    "APG": {"eta": 0.5, "norm_threshold": 5.0, "momentum": -0.3},
    "TCFG": {},
    "CFGZeroStar": {},
    "CFGNorm": {"strength": 0.7},
    "RescaleCFG": {"multiplier": 0.7},
    "RenormCFG": {"cfg_trunc": 100.0, "renorm_cfg": 1.0},
    "Mahiro": {},
    "FreSca": {"scale_low": 1.0, "scale_high": 1.25, "freq_cutoff": 4},
    "EasyCache": {
        "reuse_threshold": 0.2, "start_percent": 0.15, "end_percent": 0.95, "verbose": False
    },
}  # fmt: skip


@pytest.mark.parametrize("sampler_name", ["euler", "dpmpp_2m", "heun", "euler_cfg_pp"])
def test_one_text_is_core_cfg_bit_for_bit(comfy, sampler_name):
    g = Graph()
    g.keep(g.native(ONE, cfg=3.5, sampler_name=sampler_name))
    g.keep(g.guided(g.text(ONE, weight=3.5), sampler_name=sampler_name))
    core, ours = comfy.latents(g.prompt)
    assert torch.equal(core, ours)


@pytest.mark.parametrize(("hook", "settings"), HOOKS.items())
def test_with_another_nodes_hook_one_text_is_still_core(comfy, object_info, hook, settings):
    g = Graph()
    plain = g.native(ONE, cfg=3.5, steps=8)
    if settings is not None:
        if hook not in object_info:
            pytest.fail(f"this ComfyUI has no {hook}: choose another node for the test")
        g.model = g.add(hook, model=g.model, **settings)
    g.keep(plain)
    g.keep(g.native(ONE, cfg=3.5, steps=8))
    g.keep(g.guided(g.text(ONE, weight=3.5), steps=8))
    without, core, ours = comfy.latents(g.prompt)
    assert torch.equal(core, ours)
    assert torch.equal(core, without) == (settings is None)


@pytest.mark.parametrize(("style", "composition"), [("regular", "chained"), ("nested", "nested")])
def test_two_texts_in_a_chain_are_dual_cfg(comfy, style, composition):
    g = Graph()
    both = g.add(
        "ConditioningConcat", conditioning_to=g.words(ONE), conditioning_from=g.words(OTHER)
    )
    guider = g.add(
        "DualCFGGuider", model=g.model, cond1=both, cond2=g.words(ONE), negative=g.words(),
        cfg_conds=2.5, cfg_cond2_negative=4.0, style=style,
    )  # fmt: skip
    g.keep(g.custom(guider))
    inputs = g.text(ONE, weight=4.0), g.text(OTHER, weight=2.5)
    g.keep(g.guided(*inputs, composition=composition))
    core, ours = comfy.latents(g.prompt)
    assert off(ours, core) < 1e-5


def test_a_text_of_negative_weight_is_perp_neg(comfy):
    g = Graph()
    guider = g.add(
        "PerpNegGuider", model=g.model, positive=g.words(ONE), negative=g.words(OTHER),
        empty_conditioning=g.words(), cfg=4.0, neg_scale=0.75,
    )  # fmt: skip
    g.keep(g.custom(guider))
    inputs = g.text(ONE, weight=4.0), g.text(OTHER, weight=-3.0)
    g.keep(g.guided(*inputs, composition="perp_neg"))
    core, ours = comfy.latents(g.prompt)
    assert off(ours, core) < 1e-5


def test_the_guider_is_the_sampler_node_at_every_speed(comfy):
    for speed in ("exact", "balanced", "fast", "draft"):
        g = Graph()
        inputs = g.text(ONE), g.picture("style"), g.picture("depth")
        g.keep(g.guided(*inputs, speed=speed, steps=6))
        g.keep(g.custom(g.guider(*inputs, speed=speed), steps=6))
        sampler, guider = comfy.latents(g.prompt)
        assert torch.equal(sampler, guider)


@pytest.mark.parametrize("hook", [name for name, settings in HOOKS.items() if settings is not None])
def test_a_hook_acts_on_many_inputs_too(comfy, hook):
    g = Graph()
    inputs = g.text(ONE), g.picture("style"), g.picture("depth")
    plain = g.guided(*inputs, steps=8)
    g.model = g.add(hook, model=g.model, **HOOKS[hook])
    g.keep(plain)
    g.keep(g.guided(*inputs, steps=8))
    without, hooked = comfy.latents(g.prompt)
    assert torch.isfinite(hooked).all()
    assert not torch.equal(without, hooked)


def test_corrections_act_and_stay_finite(comfy):
    g = Graph()
    inputs = g.text(ONE, weight=9.0), g.picture("style", weight=4.0)
    for correction in ("none", "rescale", "renorm", "apg", "zero_star"):
        g.keep(g.guided(*inputs, correction=correction))
    plain, *corrected = comfy.latents(g.prompt)
    for latent in corrected:
        assert torch.isfinite(latent).all()
        assert off(latent, plain) > 1e-3


def test_an_unknown_speed_is_refused_by_the_host(comfy):
    g = Graph()
    g.save(g.guided(g.text(ONE), speed="ludicrous"))
    status, answer = comfy.post("/prompt", {"prompt": g.prompt})
    assert status == 400
    assert "speed" in str(answer)


def test_fast_with_a_chain_says_what_to_do(comfy):
    g = Graph()
    g.save(g.guided(g.text(ONE), composition="chained", speed="fast"))
    with pytest.raises(Exception, match="found chained: take leave_one_out, or the speed balanced"):
        comfy.run(g.prompt)
