"""Guidance on a model that is not ours: a noise-predicting UNet of the SD 1.5 family."""

import json

import pytest
from comfy_server import ServerError
from graph import Graph

pytestmark = pytest.mark.host


@pytest.fixture
def foreign():
    """A graph whose model is another; the prompts still come from our text encoder."""
    g = Graph()
    g.model = g.add("ProbeModel")
    return g


def difference(comfy, g, one, other):
    """(largest difference, largest value) of two latents."""
    node, _ = g.add("ProbeDifference", one=one, other=other)
    said = json.loads(comfy.run(g.prompt)[node]["text"][0])
    return said["difference"], said["size"]


@pytest.mark.parametrize("sampler", ["euler", "dpmpp_2m", "euler_cfg_pp"])
def test_one_text_input_is_native_cfg(comfy, foreign, sampler):
    native = foreign.native(cfg=3.0, sampler_name=sampler)
    guided = foreign.guided(foreign.text(weight=3.0), sampler_name=sampler)
    far, size = difference(comfy, foreign, native, guided)
    assert far < 1e-4 * size


def test_two_prompts_have_a_weight_each(comfy, foreign):
    inputs = [foreign.text("a red circle"), foreign.text("a blue star", weight=2.0)]
    both = foreign.guided(*inputs, composition="independent")
    far, size = difference(comfy, foreign, both, foreign.guided(inputs[0]))
    assert far > 1e-3 * size


def test_windows_are_shares_of_its_own_sampling(comfy, foreign):
    text = foreign.text("a red circle", weight=3.0)
    closed = foreign.text("a blue star", start=0.5, end=0.5)
    far, _ = difference(comfy, foreign, foreign.guided(text), foreign.guided(text, closed))
    assert far == 0
    half = foreign.text("a blue star", end=0.5)
    far, size = difference(comfy, foreign, foreign.guided(text), foreign.guided(text, half))
    assert far > 1e-3 * size


def test_inputs_of_the_embedded_model_are_refused(comfy, foreign):
    foreign.add("SaveLatent", samples=foreign.guided(foreign.text(), foreign.picture("depth")),
                filename_prefix="test")  # fmt: skip
    with pytest.raises(ServerError) as error:
        comfy.run(foreign.prompt)
    assert str(error.value) == (
        "adapters of the embedded model fit its own MODEL only; found a BaseModel: "
        "connect model from the same Load Embedded Model, or leave these modalities out"
    )
