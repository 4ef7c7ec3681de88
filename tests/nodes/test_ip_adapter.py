"""Image prompts on UNets with the layers of SD1.5 and SDXL."""

import pytest
import torch
from comfy_server import ServerError
from compare import off
from graph import Graph
from graph_sd15 import said

pytestmark = pytest.mark.host

FILES = {"SD1.5": "one.safetensors", "SDXL": "xl.safetensors"}


class Prompted(Graph):
    def __init__(self, layout="SD1.5", **unet):
        super().__init__()
        self.layout = layout
        self.model = self.add("ProbeUNet", layout=layout, **{"context": 128, **unet})
        self.vision = self.add("ProbeVision", width=48)

    def adapter(self, file=None):
        return self.add("MMC_LoadIPAdapter", file=file or FILES[self.layout])

    def style(self, image=None, file=None, **given):
        settings = {"weight": 1.5, "start": 0.0, "end": 1.0, "clip_vision": self.vision, **given}
        return self.add(
            "MMC_StyleImage", image=image or self.asset("style"), ip_adapter=self.adapter(file),
            **settings,
        )  # fmt: skip

    def two_pictures(self):
        return self.add("ImageBatch", image1=self.asset("style"), image2=self.asset("segmentation"))


def latents(comfy, g, *sampled):
    for latent in sampled:
        g.keep(latent)
    return comfy.latents(g.prompt)


@pytest.mark.parametrize("layout", FILES)
def test_weight_0_strength_0_and_a_closed_window_are_no_adapter(adapters, layout):
    g = Prompted(layout)
    text = g.text(weight=3.0)
    styles = [g.style(weight=0.0), g.style(strength=0.0), g.style(start=0.4, end=0.4)]
    without, acting, *others = latents(
        adapters, g, g.guided(text), g.guided(text, g.style()),
        *(g.guided(text, s) for s in styles),
    )  # fmt: skip
    assert off(acting, without) > 1e-3
    assert all(torch.equal(other, without) for other in others)


@pytest.mark.parametrize(("layout", "places"), [("SD1.5", 16), ("SDXL", 11)])
def test_every_layer_hears_the_picture_the_middle_too(adapters, layout, places):
    g = Prompted(layout)
    text = g.text(weight=3.0)
    without, *each = latents(
        adapters, g, g.guided(text, steps=1),
        *(g.guided(text, g.style(layers=f"{p}:1"), steps=1) for p in range(places)),
    )  # fmt: skip
    assert all(off(one, without) > 1e-5 for one in each)


def test_the_plus_family_reads_the_tokens_before_the_last_layer(adapters):
    g = Prompted()
    without, plus = latents(
        adapters, g, g.guided(g.text()), g.guided(g.text(), g.style(file="plus.safetensors"))
    )
    assert off(plus, without) > 1e-3


def counted(adapters, g, sampled, count):
    probe, _ = g.add("ProbeCounted", samples=sampled, count=count)
    return [call["rows"] for call in said(adapters.run(g.prompt), probe)["unet"]]


def test_five_rows_with_two_adapters_are_one_call(adapters):
    g = Prompted()
    counter, _ = g.add("ProbeCount", model=g.model)
    g.model = [counter, 0]
    inputs = (
        g.text(weight=3.0), g.style(), g.style(file="two.safetensors", weight=2.0),
        g.text("a blue star", weight=2.0),
    )  # fmt: skip
    sampled = g.guided(*inputs, steps=3)
    assert counted(adapters, g, sampled, [counter, 1]) == [5, 5, 5]


def test_rows_in_one_call_are_as_rows_apart(adapters):
    g = Prompted()
    inputs = g.text(weight=3.0), g.style(), g.style(file="two.safetensors", weight=2.0)
    together = g.guided(*inputs)
    g.model = g.add("ProbeFault", model=g.model, fault="memory", after=0, rows=1, times=0)
    one, other = latents(adapters, g, together, g.guided(*inputs))
    assert off(other, one) < 1e-4


def test_graphs_that_share_a_model_do_not_see_each_other(adapters):
    g = Prompted()
    text = g.text(weight=3.0)
    plain, styled = g.guided(text, seed=5), g.guided(text, g.style(), seed=5)
    first = latents(adapters, g, plain, styled)
    for order in ((1, 0), (0, 1)):
        h = Prompted()
        words = h.text("a red circle" + " " * (order[0] + 1), weight=3.0)
        made = [h.guided(words, seed=5), h.guided(words, h.style(), seed=5)]
        found = latents(adapters, h, *(made[k] for k in order))
        assert all(torch.equal(found[n], first[k]) for n, k in enumerate(order))


def test_each_picture_of_a_batch_has_a_picture_of_its_own(adapters):
    g = Prompted()
    pair, latent = g.two_pictures(), g.empty(batch=2)
    text = g.text(weight=3.0)

    def guided(image, **given):
        return g.guided(text, g.style(image, **given), latent_image=latent)

    first, second = g.asset("style"), g.asset("segmentation")
    each, of_first, of_second = latents(
        adapters, g, guided(pair, combine="one each"), guided(first), guided(second)
    )
    assert off(each[0], of_first[0]) < 1e-4
    assert off(each[1], of_second[1]) < 1e-4
    assert off(of_first[1], of_second[1]) > 1e-4


def test_ways_to_combine_and_to_spread_act_each_in_its_own_way(adapters):
    g = Prompted()
    pair, text = g.two_pictures(), g.text(weight=3.0)
    ways = [{"combine": c} for c in ("concat", "add", "subtract", "average", "norm average")]
    ways += [{"weight_type": t} for t in ("ease in", "style", "composition", "strong middle")]
    ways += [{"scaling": s, "strength": 0.6} for s in ("V only", "K+V", "K+V w/ C penalty")]
    ways += [{"crop": "pad"}, {"absent": "null picture"}, {"image_weights": "1, 0.2"}]
    made = latents(adapters, g, *(g.guided(text, g.style(pair, **way), steps=2) for way in ways))
    assert all(torch.isfinite(one).all() for one in made)
    assert len({one.numpy().tobytes() for one in made}) >= len(ways) - 1  # square: pad is center


@pytest.mark.parametrize("layout", FILES)
@pytest.mark.parametrize("concept", ["style", "composition"])
def test_precise_types_push_away_from_the_other_concept(adapters, layout, concept):
    """At a weight of 1 there is no push: rows with the picture hear the concept alone."""
    g = Prompted(layout)
    text = g.text(weight=3.0)

    def guided(weight, kind):
        return g.guided(text, g.style(weight=weight, weight_type=kind), steps=1)

    plain, precise, pushed, away = latents(
        adapters, g, guided(1.0, concept), guided(1.0, f"precise {concept}"),
        guided(3.0, concept), guided(3.0, f"precise {concept}"),
    )  # fmt: skip
    assert off(precise, plain) < 1e-2  # the text's push is from a row that hears the other side
    assert off(away, pushed) > off(precise, plain)


def test_a_negative_picture_is_pushed_away_from(adapters):
    """Where it is the picture itself, there is nothing to push to: the weight does nothing."""
    g = Prompted()
    text, picture = g.text(weight=3.0), g.asset("segmentation")
    one, strong, away = latents(
        adapters, g, g.guided(text, g.style(weight=1.0, negative_image=g.asset("style"))),
        g.guided(text, g.style(weight=3.0, negative_image=g.asset("style"))),
        g.guided(text, g.style(weight=3.0, negative_image=picture)),
    )  # fmt: skip
    assert off(strong, one) < 1e-5
    assert off(away, one) > 1e-4


def test_an_attention_mask_says_where_the_picture_is_heard(adapters):
    g = Prompted()
    text = g.text(weight=3.0)
    ones, none = (g.add("SolidMask", value=v, width=50, height=30) for v in (1.0, 0.0))
    whole, masked, silent, without = latents(
        adapters, g, g.guided(text, g.style()),
        g.guided(text, g.style(attention_mask=ones)),
        g.guided(text, g.style(attention_mask=none)), g.guided(text),
    )  # fmt: skip
    assert off(masked, whole) < 1e-5
    assert off(silent, without) < 1e-5
    assert off(whole, without) > 1e-3


def test_other_packs_attention_goes_on_acting(adapters):
    g = Prompted()
    text = g.text(weight=3.0)
    ours = g.guided(text, g.style())
    g.model = g.add("ProbeAttention", model=g.model)
    both, theirs, alone = latents(adapters, g, g.guided(text, g.style()), g.guided(text), ours)
    assert off(both, theirs) > 1e-4
    assert off(both, alone) > 1e-4


def test_a_plain_ksampler_hears_it_too(adapters):
    g = Prompted()
    node, _ = g.add(
        "MMC_ApplyImagePrompt", model=g.model, positive=g.words("a red circle"),
        negative=g.words(), modality=g.style(),
    )  # fmt: skip
    native = g.add(
        "KSampler", model=[node, 0], positive=[node, 1], negative=[node, 2], cfg=3.0,
        **g.sampling(),
    )  # fmt: skip
    ours = g.guided(g.text("a red circle", weight=3.0), g.style(weight=3.0), composition="joint")
    theirs, joint = latents(adapters, g, native, ours)
    assert off(joint, theirs) < 1e-5


def test_one_that_was_applied_is_heard_beside_a_modality(adapters):
    """The guider's own prompts rest at times; those that came with the MODEL never do."""
    g = Prompted()
    node, _ = g.add(
        "MMC_ApplyImagePrompt", model=g.model, positive=g.words("a red circle"),
        negative=g.words(), modality=g.style(),
    )  # fmt: skip
    plain = g.add("MMC_Condition", conditioning=g.words("a red circle"), absent=g.words(),
                  name="text", weight=3.0, start=0.0, end=1.0)  # fmt: skip
    heard = g.add("MMC_Condition", conditioning=[node, 1], absent=[node, 2], name="text",
                  weight=3.0, start=0.0, end=1.0)  # fmt: skip
    other = g.style(file="two.safetensors", end=0.5)
    g.model = [node, 0]
    with_it, without = latents(adapters, g, g.guided(heard, other), g.guided(plain, other))
    assert off(with_it, without) > 1e-3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda: Prompted("SDXL"), r"is for SD1\.5 \(16 attention layers\), but the model is"),
        (lambda: Prompted("turned over"), r"are arranged otherwise \(output_blocks\.\d.*differ\)"),
        (lambda: Prompted(context=96), r"image tokens of width 128, but .* reads 96"),
    ],
)
def test_an_adapter_of_another_model_is_refused(adapters, change, words):
    g = change()
    file = "xl.safetensors" if g.layout == "turned over" else "one.safetensors"
    g.keep(g.guided(g.text(), g.style(file=file)))
    with pytest.raises(ServerError, match=words):
        adapters.run(g.prompt)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("cut.safetensors", r"cut\.safetensors"),
        ("page.safetensors", "HTML|web page"),
        ("old.bin", r"needed \.safetensors: run .*python\S* .*mmc\.py convert .*old\.bin"),
        ("lacking.safetensors", "layer 31 has to_k_ip but no to_v_ip"),
    ],
)
def test_a_file_that_is_no_whole_adapter_is_refused(adapters, file, words):
    g = Prompted()
    g.keep(g.guided(g.text(), g.style(file=file)))
    with pytest.raises(ServerError, match=words) as error:
        adapters.run(g.prompt)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"clip_vision": None}, "needs image_embeds 48 .*: connect clip_vision"),
        ({"image_weights": "1, 2, 3"}, "3 image weights for 1 pictures"),
        ({"layers": "99:1"}, "place 99 does not exist"),
    ],
)
def test_what_does_not_fit_says_what_to_do(adapters, given, words):
    g = Prompted()
    style = g.style(**given)
    if given.get("clip_vision", 1) is None:
        del g.prompt[style[0]]["inputs"]["clip_vision"]
    g.keep(g.guided(g.text(), style))
    with pytest.raises(ServerError, match=words):
        adapters.run(g.prompt)


def test_the_wrong_clip_vision_is_named_with_both_widths(adapters):
    g = Prompted()
    g.vision = g.add("ProbeVision", width=40)
    g.keep(g.guided(g.text(), g.style()))
    with pytest.raises(ServerError, match=r"needs image_embeds 48 .* gave features of width 40"):
        adapters.run(g.prompt)
