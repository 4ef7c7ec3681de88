"""Image Variations is what the single nodes of its graph give, bit for bit."""

import pytest
import torch
from comfy_server import ServerError
from compare import off
from graph import Graph
from test_ip_adapter import Prompted, latents

from mm_core.priors.noise import candidate_seed
from mm_core.priors.space import EMBEDDED, ImageEmbedding, Space
from mm_core.priors.vary import varied

pytestmark = pytest.mark.host

WEIGHT = 3.0


class Varied(Prompted):
    """model: of an image prompt, until a test puts another in its place."""

    def variations(self, count=2, **given):
        settings = {"weight": WEIGHT, "variety": 0.0, "seed": 1, "steps": 4, "denoise": 1.0,
                    "sampler_name": "euler", "scheduler": "normal", **given}  # fmt: skip
        settings.setdefault("latent_image", self.empty())
        return self.add("MMC_Variations", model=self.model, count=count, **settings)

    def prompted(self, positive=None, **weight):
        """Words as a modality of their own."""
        settings = {"weight": 1.0, "start": 0.0, "end": 1.0, "name": "text", **weight}
        return self.add("MMC_Condition", conditioning=positive or self.words(), **settings)

    def seen(self, image=None):
        return self.add("CLIPVisionEncode", clip_vision=self.vision, crop="center",
                        image=image or self.asset("style"))  # fmt: skip

    def made_up(self, **given):
        settings = {"count": 1, "width": 48, "seed": 0, "length": 7.0, "unit": False}
        return self.add("ProbeEmbedding", **{**settings, **given})

    def look(self, variations):
        probe = self.add("ProbeVectors", output=[variations[0], 1], field="image_embeds")
        self.keep(probe)


class Embedded(Varied):
    def __init__(self):
        Graph.__init__(self)
        self.vision = [self.adapters[0], 4]

    def style(self, output, **given):
        settings = {"weight": WEIGHT, "start": 0.0, "end": 1.0, **given}
        return self.add(
            "MMC_StyleImage", clip_vision_output=output, adapters=self.adapters, **settings
        )


def test_the_embedded_model_with_words_and_without(comfy):
    g = Embedded()
    image, batch, words = g.asset("style"), g.empty(batch=3), g.words("a red circle")
    style = g.style(g.seen())
    plain = g.variations(3, image=image, adapters=g.adapters)
    told = g.variations(3, image=image, adapters=g.adapters, positive=words, text_weight=4.0)
    one, theirs, other, others = latents(
        comfy, g, plain, g.guided(style, latent_image=batch), told,
        g.guided(g.prompted(words, weight=4.0), style, latent_image=batch),
    )  # fmt: skip
    assert len(one) == 3
    assert torch.equal(one, theirs)
    assert torch.equal(other, others)
    assert off(other, one) > 1e-2


def test_below_full_denoise_the_latents_picture_shows_through(comfy):
    g = Embedded()
    start = g.encoded(g.small("segmentation"))
    batch = g.add("RepeatLatentBatch", samples=start, amount=2)
    ours = g.variations(image=g.asset("style"), adapters=g.adapters, denoise=0.4,
                        latent_image=start)  # fmt: skip
    made, theirs, before = latents(
        comfy, g, ours, g.guided(g.style(g.seen()), latent_image=batch, denoise=0.4), batch
    )
    assert torch.equal(made, theirs)
    assert off(made, before) < 1.0


def test_a_base_adapter(adapters):
    g = Varied()
    ours = g.variations(image=g.asset("style"), clip_vision=g.vision, ip_adapter=g.adapter(),
                        positive=g.words(), strength=0.8)  # fmt: skip
    read = g.variations(clip_vision_output=g.seen(), ip_adapter=g.adapter(), positive=g.words(),
                        strength=0.8)  # fmt: skip
    theirs = g.guided(g.prompted(), g.style(weight=WEIGHT, strength=0.8),
                      latent_image=g.empty(batch=2))  # fmt: skip
    made, before, single = latents(adapters, g, ours, read, theirs)
    assert torch.equal(made, single)
    assert torch.equal(before, single)
    assert off(made[0], made[1]) > 1e-2


@pytest.mark.parametrize("file", ["one.safetensors", "plus.safetensors"])
def test_as_many_pictures_as_variations_are_one_each(adapters, file):
    g = Varied()
    pair = g.two_pictures()
    ours = g.variations(image=pair, clip_vision=g.vision, ip_adapter=g.adapter(file),
                        positive=g.words())  # fmt: skip
    style = g.style(pair, file=file, weight=WEIGHT, combine="one each")
    made, theirs = latents(
        adapters, g, ours, g.guided(g.prompted(), style, latent_image=g.empty(batch=2))
    )
    assert torch.equal(made, theirs)


@pytest.mark.parametrize("kind", ["adapter", "embedded"])
def test_variety_is_the_librarys_noise_on_the_embedding(adapters, kind):
    g = Varied() if kind == "adapter" else Embedded()
    if kind == "adapter":
        reader = {"ip_adapter": g.adapter(), "clip_vision": g.vision, "positive": g.words()}
    else:
        reader = {"adapters": g.adapters}
    image = g.asset("style")
    three, plain = (
        g.variations(3, image=image, variety=v, seed=9, **reader) for v in (0.3, 0.0)
    )  # fmt: skip
    single = g.variations(1, image=image, variety=0.3, seed=9, **reader)
    for node in (three, single, plain):
        g.keep(node)
        g.look(node)
    loose, vectors, first, one, near, picture = adapters.latents(g.prompt)
    space = EMBEDDED if kind == "embedded" else Space("an unknown encoder", 48)
    expected = varied(
        ImageEmbedding(picture, space), 0.3, [candidate_seed(9, k) for k in (1, 2, 3)]
    ).vectors
    torch.testing.assert_close(vectors, expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(one, expected[:1], rtol=1e-5, atol=1e-5)
    assert off(first[0], loose[0]) < 1e-3
    assert off(loose, near) > 1e-2


def unclip(g, variety, positive, kind="unCLIP"):
    """What core gives: its conditioning, and CFG against the same words."""
    heard = g.add("unCLIPConditioning", conditioning=positive, clip_vision_output=g.seen(),
                  strength=0.9, noise_augmentation=variety)  # fmt: skip
    return g.add("KSampler", model=g.model, positive=heard, negative=positive, cfg=WEIGHT,
                 **g.sampling(latent_image=g.empty(batch=2)))  # fmt: skip


@pytest.mark.parametrize("variety", [0.0, 0.4])
def test_unclip_is_cores_conditioning(comfy, variety):
    g = Varied()
    g.model = g.add("ProbeUnclip", kind="unCLIP")
    ours = g.variations(image=g.asset("style"), clip_vision=g.vision, positive=g.words(),
                        variety=variety, strength=0.9)  # fmt: skip
    silent = g.variations(image=g.asset("style"), clip_vision=g.vision, positive=g.words(),
                          strength=0.0)  # fmt: skip
    made, theirs, without = latents(comfy, g, ours, unclip(g, variety, g.words()), silent)
    assert torch.equal(made, theirs)
    assert off(made, without) > 1e-3


def test_sdxl_reads_the_picture_in_place_of_the_pooled_text(comfy):
    g = Varied()
    g.model = g.add("ProbeUnclip", kind="SDXL")
    g.vision = g.add("ProbeVision", width=1280)
    words = g.add("ProbePooled", conditioning=g.words())
    ours = g.variations(image=g.asset("style"), clip_vision=g.vision, positive=words,
                        variety=0.2, strength=0.9)  # fmt: skip
    made, theirs = latents(comfy, g, ours, unclip(g, 0.2, words))
    assert torch.equal(made, theirs)


def test_words_push_away_from_the_negative(comfy):
    """At the weight 1 there is no push, so that it makes no difference what from."""
    g = Varied()
    g.model = g.add("ProbeUnclip", kind="unCLIP")
    given = {"clip_vision_output": g.made_up(), "positive": g.words("a red circle")}
    away = g.words("a blue star")
    kinds = [(1.0, {}), (1.0, {"negative": away}), (4.0, {}), (4.0, {"negative": away})]
    one, same, pushed, other = latents(
        comfy, g, *(g.variations(text_weight=w, **given, **more) for w, more in kinds)
    )
    assert torch.equal(same, one)
    assert off(pushed, one) > 1e-3
    assert off(other, pushed) > 1e-3


def plain_model(g):
    return g.variations(image=g.asset("style"), clip_vision=g.vision, positive=g.words())


def no_prompt(g):
    return g.variations(image=g.asset("style"), clip_vision=g.vision, ip_adapter=g.adapter())


def both_readers(g):
    return g.variations(image=g.asset("style"), ip_adapter=g.adapter(), adapters=g.adapters)


def no_picture(g):
    return g.variations(ip_adapter=g.adapter(), positive=g.words())


def no_vision(g):
    return g.variations(image=g.asset("style"), ip_adapter=g.adapter(), positive=g.words())


def loose_tokens(g):
    return g.variations(image=g.asset("style"), clip_vision=g.vision, variety=0.2,
                        ip_adapter=g.adapter("plus.safetensors"), positive=g.words())  # fmt: skip


def three_pictures(g):
    return g.variations(clip_vision_output=g.made_up(count=3), ip_adapter=g.adapter(),
                        positive=g.words())  # fmt: skip


def another_space(g):
    return g.variations(clip_vision_output=g.made_up(width=1280), positive=g.words(),
                        ip_adapter=g.adapter("vit_h.safetensors"))  # fmt: skip


def unit_length(g):
    return g.variations(clip_vision_output=g.made_up(unit=True), positive=g.words(),
                        ip_adapter=g.adapter())  # fmt: skip


def three_latents(g):
    return g.variations(clip_vision_output=g.made_up(), positive=g.words(),
                        ip_adapter=g.adapter(), latent_image=g.empty(batch=3))  # fmt: skip


def loud_embedded(g):
    return g.variations(image=g.asset("style"), adapters=g.adapters, strength=0.5)


def only_a_negative(g):
    return g.variations(image=g.asset("style"), adapters=g.adapters, negative=g.words())


def only_a_text_weight(g):
    return g.variations(image=g.asset("style"), adapters=g.adapters, text_weight=4.0)


def sdxl_with_the_prompt_of_another(g):
    g.model = g.add("ProbeUnclip", kind="SDXL")
    return g.variations(clip_vision_output=g.made_up(), positive=g.words())


def unclip_of_two(g):
    g.model = g.add("ProbeUnclip", kind="unCLIP")
    return g.variations(clip_vision_output=g.made_up(count=2), positive=g.words())


def unclip_of_another(g):
    g.model = g.add("ProbeUnclip", kind="unCLIP")
    return g.variations(clip_vision_output=g.made_up(width=768), positive=g.words())


REFUSED = {
    plain_model: r"the model \(BaseModel\) reads no image embedding by itself: connect ip_adapter",
    no_prompt: "there is no prompt, which this model needs beside the picture: connect positive",
    both_readers: "both ip_adapter and adapters are connected",
    no_picture: "found neither of image and clip_vision_output; connect exactly one",
    no_vision: r"has to be encoded for one\.safetensors: connect clip_vision",
    loose_tokens: r"variety is 0\.2, and plus\.safetensors reads the picture's tokens",
    three_pictures: "there are 3 pictures for 2 variations; give one, or as many",
    another_space: "of OpenCLIP ViT-H/14, width 1024, but was given OpenCLIP ViT-bigG/14, width "
    "1280",
    unit_length: r"the image embedding has length 1, and one\.safetensors was trained on",
    three_latents: "latent_image holds 3 images for 2 variations",
    loud_embedded: "the style input has strength set, for an ip_adapter",
    only_a_negative: "negative and text_weight are for words beside the picture, and there are",
    only_a_text_weight: "negative and text_weight are for words beside the picture, and there are",
    sdxl_with_the_prompt_of_another: "SDXL needs prompts with a pooled vector 1280 wide, in rows "
    "without the picture too, and found",
    unclip_of_two: "there are 2 pictures, and this unCLIP model takes one for all variations",
    unclip_of_another: "this unCLIP model needs image embeddings of an unknown encoder, width 48, "
    "but was given OpenAI CLIP ViT-L/14, width 768",
}


@pytest.mark.parametrize("make", REFUSED, ids=lambda make: make.__name__)
def test_what_does_not_fit_is_refused(adapters, make):
    g = Varied()
    g.keep(make(g))
    with pytest.raises(ServerError, match=REFUSED[make]) as error:
        adapters.run(g.prompt)
    assert "\n" not in str(error.value)
