"""The embedded model's CLIP_VISION, in the host's own node and in ours."""

import json

import pytest
import torch
from comfy_server import ServerError
from find_comfyui import ASSETS
from graph import Graph
from graph_encode import Fusing, entries

from mm_core.embedded.encode import encode_style
from mm_core.embedded.prior import load_space
from mm_core.embedded.weights import load_embedded
from mm_core.encoders.pictures import read_picture

pytestmark = pytest.mark.host


def vision(g):
    return [g.adapters[0], 4]


def seen(g, image, crop="center"):
    return g.add("CLIPVisionEncode", clip_vision=vision(g), image=image, crop=crop)


def looked(g, output, field="image_embeds"):
    g.keep(probe := g.add("ProbeVectors", output=output, field=field))
    return probe


def test_it_gives_what_the_library_makes_of_the_picture(comfy):
    g = Graph()
    output = seen(g, g.asset("style"))
    probe = looked(g, output)
    looked(g, output, "last_hidden_state")
    looked(g, output, "penultimate_hidden_states")
    outputs = comfy.run(g.prompt)
    vector, tokens, before = comfy.saved(outputs)
    embedded, _ = load_embedded()
    with torch.no_grad():
        made = encode_style(embedded.adapters, read_picture(ASSETS / "mmc_style.png")).tokens
    torch.testing.assert_close(tokens, made, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(
        vector, load_space().embed(made).vectors, rtol=1e-3, atol=1e-3 * float(vector.abs().max())
    )
    assert torch.equal(before, tokens)
    said = json.loads(outputs[probe[0]]["text"][0])
    assert said == {"space": "the embedded model's style, width 128", "unit": False}


def test_a_batch_is_a_vector_for_each_picture(comfy):
    g = Graph()
    first, second = g.small("style"), g.small("segmentation")
    for image in (g.add("ImageBatch", image1=first, image2=second), first, second):
        looked(g, seen(g, image))
    both, one, other = comfy.latents(g.prompt)
    torch.testing.assert_close(both, torch.cat([one, other]), rtol=1e-4, atol=1e-4)
    assert (one - other).abs().max() > 0.1


def test_crop_reads_the_central_square_and_without_it_the_whole(comfy):
    g = Graph()
    size = {"number": 1, "height": 64, "channels": 3, "nan": False}
    wide = g.add("ProbePicture", width=192, **size)
    middle = g.add("ImageCrop", image=wide, width=64, height=64, x=64, y=0)
    for image, crop in ((wide, "center"), (middle, "center"), (wide, "none"), (middle, "none")):
        looked(g, seen(g, image, crop))
    cropped, central, whole, same = comfy.latents(g.prompt)
    assert torch.equal(cropped, central)
    assert torch.equal(same, central)
    assert (whole - central).abs().max() > 0.01


@pytest.mark.parametrize(("read", "shape"), [("tokens", [1, 16, 128]), ("one vector", [1, 1, 128])])
def test_encode_image_reads_it_too(comfy, read, shape):
    g = Fusing()
    direct = g.add("MMC_EncodeImage", image=g.asset("style"), clip_vision=vision(g), read=read)
    before = g.add("MMC_EncodeImage", clip_vision_output=seen(g, g.asset("style")), read=read)
    probes = [g.told(g.fused(e)) for e in (direct, before)]
    outputs = comfy.run(g.prompt)
    one, other = (entries(outputs, p)[0] for p in probes)
    assert one == other
    assert one["shape"] == shape


def test_encode_image_takes_a_priors_vector_and_says_that_it_has_no_tokens(comfy):
    g = Fusing()
    settings = {"count": 2, "width": 128, "seed": 0, "length": 7.0, "unit": False}
    made = g.add("ProbeEmbedding", **settings)
    probe = g.told(g.fused(g.add("MMC_EncodeImage", clip_vision_output=made, read="one vector")))
    assert entries(comfy.run(g.prompt), probe)[0]["shape"] == [2, 1, 128]
    g.told(g.fused(g.add("MMC_EncodeImage", clip_vision_output=made, read="tokens")))
    with pytest.raises(ServerError, match="is one vector of a prior or a mix, and 'tokens'"):
        comfy.run(g.prompt)
