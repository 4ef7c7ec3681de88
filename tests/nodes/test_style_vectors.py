"""Style Image Modality with pictures that were encoded before, or with a prior's embeddings."""

import pytest
import torch
from comfy_server import ServerError
from compare import off, psnr
from find_comfyui import ASSETS
from graph import Graph
from PIL import Image
from test_ip_adapter import Prompted, latents

from mm_core.embedded.conditions import EncodedStream
from mm_core.embedded.encode import encode_style, encode_text
from mm_core.embedded.generate import Settings, generate
from mm_core.embedded.prior import load_space
from mm_core.embedded.weights import load_embedded
from mm_core.encoders.pictures import read_picture
from mm_core.guidance.program import Program
from mm_core.types import Modality

pytestmark = pytest.mark.host


class Encoded(Prompted):
    def seen(self, image=None):
        return self.add(
            "CLIPVisionEncode", clip_vision=self.vision, image=image or self.asset("style"),
            crop="center",
        )  # fmt: skip

    def made_up(self, **given):
        settings = {"count": 1, "width": 48, "seed": 0, "length": 7.0, "unit": False}
        return self.add("ProbeEmbedding", **{**settings, **given})

    def styled(self, output, file=None, **given):
        """Without clip_vision, unless it is given."""
        settings = {"weight": 1.5, "start": 0.0, "end": 1.0, **given}
        return self.add(
            "MMC_StyleImage", clip_vision_output=output, ip_adapter=self.adapter(file), **settings
        )


def refused(comfy, g, style, words):
    g.keep(g.guided(g.text(), style))
    with pytest.raises(ServerError, match=words) as error:
        comfy.run(g.prompt)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("count", "given"),
    [
        (1, {}), (2, {}), (2, {"combine": "one each"}), (2, {"combine": "average"}),
        (2, {"combine": "norm average", "image_weights": "1, 0.2"}),
        (1, {"absent": "null picture", "strength": 0.6}),
    ],
)  # fmt: skip
def test_what_the_host_encoded_is_the_picture_bit_for_bit(adapters, count, given):
    g = Encoded()
    image = g.two_pictures() if count == 2 else g.asset("style")
    text, latent = g.text(weight=3.0), g.empty(batch=2)
    whole, before, without = latents(
        adapters, g, g.guided(text, g.style(image, **given), latent_image=latent),
        g.guided(text, g.styled(g.seen(image), **given), latent_image=latent),
        g.guided(text, latent_image=latent),
    )  # fmt: skip
    assert torch.equal(before, whole)
    assert off(whole, without) > 1e-3


def test_a_negative_picture_goes_with_it(adapters):
    g = Encoded()
    text, away = g.text(weight=3.0), {"negative_image": g.asset("segmentation")}
    output = g.seen()
    whole, before = latents(
        adapters, g, g.guided(text, g.style(**away)),
        g.guided(text, g.styled(output, clip_vision=g.vision, **away)),
    )  # fmt: skip
    assert torch.equal(before, whole)
    refused(adapters, g, g.styled(output, **away), "connect clip_vision, from Load CLIP Vision")


def test_each_row_of_a_prior_is_a_picture_of_its_own(adapters):
    g = Encoded()
    text, latent = g.text(weight=3.0), g.empty(batch=2)

    def guided(output, **given):
        return g.guided(text, g.styled(output, **given), latent_image=latent)

    each, concat, alone = latents(
        adapters, g, guided(g.made_up(count=2), combine="one each"), guided(g.made_up(count=2)),
        guided(g.made_up(count=1)),
    )  # fmt: skip
    assert off(each[0], alone[0]) < 1e-4
    assert off(each[1], alone[1]) > 1e-3
    assert off(concat[0], alone[0]) > 1e-3


@pytest.mark.parametrize(
    ("file", "made", "given", "words"),
    [
        ("vit_h.safetensors", {"width": 1280}, {}, r"vit_h\.safetensors needs image embeddings of "
         r"OpenCLIP ViT-H/14, width 1024, but was given OpenCLIP ViT-bigG/14, width 1280"),
        ("plus.safetensors", {}, {}, r"needs penultimate 64 .* is read as one vector"),
        ("one.safetensors", {"unit": True}, {}, r"has length 1, and one\.safetensors was trained "
         r"on the lengths that the encoder that made it gives: .* in the mode match length"),
        ("one.safetensors", {}, {"crop": "pad"}, "set crop back to center"),
        ("one.safetensors", {"length": float("inf")}, {}, "not finite"),
    ],
)  # fmt: skip
def test_an_embedding_that_does_not_fit_is_refused(adapters, file, made, given, words):
    g = Encoded()
    refused(adapters, g, g.styled(g.made_up(**made), file, **given), words)


def test_one_of_picture_and_embedding_is_needed(adapters):
    g = Encoded()
    both = g.styled(g.made_up(), image=g.asset("style"))
    refused(adapters, g, both, "both image and clip_vision_output: connect one")
    g = Encoded()
    neither = g.add("MMC_StyleImage", ip_adapter=g.adapter(), weight=1.5, start=0.0, end=1.0)
    refused(adapters, g, neither, "no picture: connect image, or clip_vision_output")


def embedded_style(g, output, **given):
    settings = {"weight": 2.5, "start": 0.0, "end": 1.0, **given}
    return g.add("MMC_StyleImage", clip_vision_output=output, adapters=g.adapters, **settings)


def test_on_the_embedded_model_the_tokens_come_back_as_the_library_has_them(comfy):
    g = Graph()
    vision = [g.adapters[0], 4]
    output = g.add(
        "CLIPVisionEncode", clip_vision=vision, image=g.asset("style"), crop="center"
    )  # fmt: skip
    text = g.text("a red circle", weight=3.0)
    g.save(g.guided(text, embedded_style(g, output), steps=8))
    g.save(g.guided(text, steps=8))
    theirs, without = comfy.images(g.prompt)
    embedded, space = load_embedded()[0], load_space()
    with torch.no_grad():
        tokens = encode_style(embedded.adapters, read_picture(ASSETS / "mmc_style.png")).tokens
        style = EncodedStream("style", space.tokens(space.embed(tokens)))
        words = encode_text(embedded.text, "a red circle")
    program = Program((Modality("text", 3.0), Modality("style", 2.5)), "leave_one_out")
    pictures, _ = generate(
        embedded, program, {"text": words, "style": style}, words.null, Settings(8, seed=1)
    )
    cut = (pictures[0].clamp(0, 1) * 255).byte().permute(1, 2, 0).contiguous()
    ours = Image.fromarray(cut.numpy())
    assert psnr(ours, theirs) >= 60
    assert psnr(without, theirs) < 25


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"width": 768}, "needs image embeddings of the embedded model's style, width 128, but was "
         "given OpenAI CLIP ViT-L/14, width 768"),
        ({"width": 128, "unit": True}, "has length 1, and the embedded model's style input was"),
    ],
)  # fmt: skip
def test_the_embedded_model_reads_its_own_embeddings_only(comfy, made, words):
    g = Graph()
    settings = {"count": 1, "seed": 0, "length": 7.0, "unit": False, **made}
    refused(comfy, g, embedded_style(g, g.add("ProbeEmbedding", **settings)), words)


def test_a_picture_that_another_vision_saw_as_wide_is_not_the_embedded_models(comfy):
    g = Graph()
    vision = g.add("ProbeVision", width=128)
    output = g.add(
        "CLIPVisionEncode", clip_vision=vision, image=g.asset("style"), crop="center"
    )  # fmt: skip
    words = "of the embedded model's style, width 128, but was given an unknown encoder, width 128"
    refused(comfy, g, embedded_style(g, output), words)
