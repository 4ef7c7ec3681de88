"""Each node of ComfyUI that patches a model: with one text ours is core's latent, bit for bit."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import torch
from graph import Graph

pytestmark = pytest.mark.host

ONE, OTHER = "a red circle", "a large blue star on the left"
BEDS = {"embedded": None, "unet": "ProbeModel", "dit": "ProbeDiT"}
WHOLE = {"start_percent": 0.0, "end_percent": 1.0}
LAYERS = {"double_layers": "1", "single_layers": "1"}
MULTIPLY = {"q": 1.0, "k": 1.0, "v": 1.3, "out": 1.2}
FREE = {"b1": 1.3, "b2": 1.4, "s1": 0.9, "s2": 0.2}
CACHE = {"reuse_threshold": 0.3, "start_percent": 0.15, "end_percent": 0.95, "verbose": False}


@dataclass(frozen=True)
class Case:
    """A node on one of the models. links: inputs that other nodes give. new: 0.20.0 lacks it."""

    node: str
    bed: str = "embedded"
    settings: dict = field(default_factory=dict)
    links: Callable = lambda g: {}
    new: bool = False

    def __str__(self):
        return f"{self.node} on {self.bed}"

    def on(self, g):
        return g.add(self.node, model=g.model, **self.settings, **self.links(g))


CASES = [
    Case("NAGuidance", "unet", {"nag_scale": 5.0, "nag_alpha": 0.5, "nag_tau": 1.5}),
    Case("NAGuidance", "dit", {"nag_scale": 5.0, "nag_alpha": 0.5, "nag_tau": 1.5}),
    Case("PerturbedAttentionGuidance", "unet", {"scale": 3.0}),
    Case("SelfAttentionGuidance", "unet", {"scale": 0.75, "blur_sigma": 2.0}),
    Case("SkipLayerGuidanceSD3", "dit", {"layers": "1", "scale": 3.0, **WHOLE}),
    Case(
        "SkipLayerGuidanceDiT", "dit", {**LAYERS, **WHOLE, "scale": 3.0, "rescaling_scale": 0.5}
    ),
    Case("SkipLayerGuidanceDiTSimple", "dit", {**LAYERS, **WHOLE}),
    Case("CFGOverride", "unet", {"cfg": 1.5, "start_percent": 0.0, "end_percent": 0.6}, new=True),
    Case("EasyCache", "unet", CACHE),
    Case("EasyCache", "dit", {**CACHE, "reuse_threshold": 3.0}),
    Case("LazyCache", "embedded", CACHE),
    Case("LazyCache", "unet", CACHE),
    Case("FreeU", "unet", FREE),
    Case("FreeU_V2", "unet", FREE),
    Case("HyperTile", "unet", {
        "tile_size": 32, "swap_size": 2, "max_depth": 1, "scale_depth": False}),
    Case("TomePatchModel", "unet", {"ratio": 0.5}),
    Case("PatchModelAddDownscale", "unet", {
        "block_number": 1, "downscale_factor": 2.0, **WHOLE, "downscale_after_skip": True,
        "downscale_method": "bicubic", "upscale_method": "bicubic"}),
    Case("UNetSelfAttentionMultiply", "unet", MULTIPLY),
    Case("UNetCrossAttentionMultiply", "unet", MULTIPLY),
    Case("PerpNeg", "unet", {"neg_scale": 0.8},
        lambda g: {"empty_conditioning": g.words("a blue star")}),
    Case("VideoLinearCFGGuidance", "unet", {"min_cfg": 1.5}),
    Case("LatentApplyOperationCFG", "embedded", {},
        lambda g: {"operation": g.add("LatentOperationTonemapReinhard", multiplier=0.5)}),
    Case("Epsilon Scaling", "embedded", {"scaling_factor": 1.02}),
    Case("TemporalScoreRescaling", "embedded", {"tsr_k": 0.8, "tsr_sigma": 1.0}),
    Case("RescaleCFG", "unet", {"multiplier": 0.7}),
    Case("ModelSamplingDiscrete", "unet", {"sampling": "v_prediction", "zsnr": True}),
]  # fmt: skip


def bed(case):
    g = Graph()
    if BEDS[case.bed]:
        g.model = g.add(BEDS[case.bed])
    return g


@pytest.fixture
def here(object_info, case):
    """The case, where this ComfyUI has the node; which it may lack is tested on its own."""
    if case.node not in object_info:
        pytest.skip(f"{case.node} came after this ComfyUI")
    return case


def test_a_node_is_absent_only_where_it_is_known_to_be(comfy, object_info):
    version = comfy.get("/system_stats")["system"]["comfyui_version"]
    absent = {case.node for case in CASES if case.node not in object_info}
    new = {case.node for case in CASES if case.new}
    assert absent == (new if version == "0.20.0" else set())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_with_one_text_ours_is_core(comfy, here):
    g = bed(here)
    plain = g.native(ONE, cfg=3.5, steps=6)
    g.model = here.on(g)
    g.keep(plain)
    g.keep(g.native(ONE, cfg=3.5, steps=6))
    g.keep(g.guided(g.text(ONE, weight=3.5), steps=6))
    without, core, ours = comfy.latents(g.prompt)
    assert torch.isfinite(core).all()
    assert not torch.equal(core, without), "the node does nothing at these settings"
    assert torch.equal(core, ours)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_without_guidance_ours_is_core_too(comfy, here):
    g = bed(here)
    g.model = here.on(g)
    g.keep(g.native(ONE, cfg=1.0, steps=6))
    g.keep(g.guided(g.text(ONE, weight=1.0), steps=6))
    core, ours = comfy.latents(g.prompt)
    assert torch.equal(core, ours)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_two_texts_run_with_it_or_it_is_refused_by_name(comfy, here):
    g = bed(here)
    inputs = g.text(ONE, weight=3.5), g.text(OTHER, weight=2.0)
    plain = g.guided(*inputs, steps=6)
    g.model = here.on(g)
    g.keep(plain)
    g.keep(g.guided(*inputs, steps=6))
    if here.node == "SkipLayerGuidanceDiTSimple":
        with pytest.raises(AssertionError, match=r"SkipLayerGuidanceDiTSimple.*this step has 3"):
            comfy.run(g.prompt)
        return
    without, hooked = comfy.latents(g.prompt)
    assert torch.isfinite(hooked).all()
    assert not torch.equal(without, hooked)


@pytest.mark.parametrize(
    ("inputs", "composition"),
    [
        (1, "leave_one_out"), (2, "leave_one_out"), (3, "leave_one_out"), (2, "joint"),
        (3, "joint"), (2, "nested"), (2, "chained"), (3, "chained"),
    ],
)  # fmt: skip
def test_attention_patches_see_the_pair_as_0_and_1(comfy, composition, inputs):
    """Nodes such as NAG take the first row marked 0 for the prompt, the first marked 1 for its
    opposite: they must be the two rows that hooks after guidance are given."""
    g = Graph()
    g.model = g.add("ProbeModel")
    marked, _ = g.add("ProbeMarks", model=g.model)
    g.model = [marked, 0]
    texts = [g.text(ONE, weight=3.0), g.text(OTHER, weight=2.0), g.text("a ring", weight=1.5)]
    sampled = g.guided(*texts[:inputs], composition=composition, steps=2)
    probe, _ = g.add("ProbeCounted", samples=sampled, count=[marked, 1])
    seen = json.loads(comfy.run(g.prompt)[probe]["text"][0])
    assert len(seen["calls"]) == 2
    for call, (cond, uncond) in zip(seen["calls"], seen["pairs"], strict=True):
        first = {mark: call["rows"][call["marks"].index(mark)] for mark in (0, 1)}
        assert first == {0: cond, 1: uncond}


@pytest.mark.parametrize(
    "case", [case for case in CASES if str(case) == "NAGuidance on unet"], ids=str
)
def test_in_a_chain_the_fullest_row_alone_is_changed(comfy, here):
    """In one Euler step the latent is the guided prediction, which a chain adds up from three."""
    g = bed(here)
    one, none = g.words(ONE), g.words()
    both = g.add("ConditioningConcat", conditioning_to=one, conditioning_from=g.words(OTHER))
    step = {"cfg": 1.0, "negative": none, **g.sampling(steps=1)}
    for positive in (none, one, both):
        g.keep(g.add("KSampler", model=g.model, positive=positive, **step))
    g.model = here.on(g)
    g.keep(g.add("KSampler", model=g.model, positive=both, **step))
    inputs = g.text(ONE, weight=4.0), g.text(OTHER, weight=2.5)
    g.keep(g.guided(*inputs, composition="chained", steps=1))
    of_none, of_one, plain, of_both, ours = comfy.latents(g.prompt)
    expected = of_none + 4.0 * (of_one - of_none) + 2.5 * (of_both - of_one)
    change = (of_both - plain).abs().max()
    assert change > 1e-2
    assert (ours - expected).abs().max() < 0.05 * change  # of a latent of size 100, in float32
