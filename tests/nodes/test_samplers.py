"""One text input is classifier-free guidance, whoever samples: ComfyUI, our nodes or mm_core."""

import pytest
from compare import identical, psnr, shows_something
from graph import PROMPT, Graph, pictures_of_each
from PIL import Image
from schemas import options_of

from mm_core.embedded.encode import encode_text
from mm_core.embedded.generate import Settings, generate
from mm_core.embedded.weights import load_embedded
from mm_core.guidance.program import Program
from mm_core.types import Modality

pytestmark = pytest.mark.host

CFG = 4.0
STEPS = 8
BAR = 75  # dB: of 8-bit pictures, a few pixels differ by one level


@pytest.fixture(scope="module")
def embedded():
    return load_embedded()[0]


def drawn_by_mm_core(model, composition, **settings):
    """The picture as SaveImage would write it: 8 bit, cut off rather than rounded."""
    text = encode_text(model.text, PROMPT)
    program = Program((Modality("text", CFG),), composition)
    pictures, _ = generate(model, program, {"text": text}, text.null, Settings(**settings))
    cut = (pictures[0].clamp(0, 1) * 255).byte().permute(1, 2, 0).contiguous()
    return Image.fromarray(cut.numpy())


@pytest.mark.parametrize("schedule", ["normal", "karras"])
@pytest.mark.parametrize("sampler", ["euler", "heun", "dpmpp_2m"])
def test_our_sampler_is_comfyuis_of_the_same_name(comfy, embedded, sampler, schedule):
    g = Graph()
    g.save(g.native(cfg=CFG, sampler_name=sampler, scheduler=schedule, steps=STEPS))
    (theirs,) = comfy.images(g.prompt)
    for composition in ("joint", "leave_one_out"):
        ours = drawn_by_mm_core(
            embedded, composition, sampler=sampler, schedule=schedule, steps=STEPS, seed=1
        )
        assert psnr(ours, theirs) >= BAR


@pytest.mark.parametrize(
    "composition", ["leave_one_out", "independent", "chained", "nested", "joint"]
)
def test_one_text_input_is_native_cfg_in_every_composition(comfy, composition):
    g = Graph()
    g.save(g.native(cfg=CFG, steps=STEPS))
    g.save(g.guided(g.text(weight=CFG), composition=composition, steps=STEPS))
    native, guided = comfy.images(g.prompt)
    assert psnr(native, guided) >= BAR


def test_a_negative_prompt_is_the_native_one(comfy):
    g = Graph()
    positive, negative = (
        g.add("CLIPTextEncode", clip=g.clip, text=t) for t in (PROMPT, "a blue star")
    )
    theirs = g.add(
        "KSampler", model=g.model, positive=positive, negative=negative, cfg=CFG,
        **g.sampling(),
    )  # fmt: skip
    g.save(theirs)
    g.save(g.guided(g.text(weight=CFG, negative="a blue star")))
    g.save(g.guided(g.text(weight=CFG)))
    native, guided, without = comfy.images(g.prompt)
    assert psnr(native, guided) >= BAR
    assert psnr(guided, without) < 40


@pytest.mark.parametrize("sampler", ["euler", "dpmpp_2m", "dpmpp_2m_sde", "euler_ancestral"])
def test_guider_node_and_sampler_node_agree_bit_for_bit(comfy, sampler):
    g = Graph()
    inputs = [g.text(), g.picture("depth")]
    g.save(g.guided(*inputs, sampler_name=sampler))
    g.save(g.custom(g.guider(*inputs), sampler_name=sampler))
    sampled, guided = comfy.images(g.prompt)
    assert identical(sampled, guided)


def test_every_sampler_name_runs_with_several_inputs(comfy, object_info):
    names = options_of(object_info, "MMC_KSampler", "sampler_name")
    assert names == options_of(object_info, "KSampler", "sampler_name")
    assert any(name.endswith("_cfg_pp") for name in names)

    def draw(g, name):
        return g.guided(g.text(), g.picture("depth"), steps=3, sampler_name=name)

    made = pictures_of_each(comfy, names, draw)
    assert [n for n, picture in made.items() if not shows_something(picture)] == []


@pytest.mark.parametrize("sampler", ["euler_cfg_pp", "dpmpp_2m_cfg_pp", "res_multistep_cfg_pp"])
def test_cfg_pp_samplers_see_the_pair_that_native_cfg_shows_them(comfy, sampler):
    g = Graph()
    g.save(g.native(cfg=1.5, sampler_name=sampler))
    g.save(g.guided(g.text(weight=1.5), sampler_name=sampler))
    native, guided = comfy.images(g.prompt)
    assert psnr(native, guided) >= BAR
