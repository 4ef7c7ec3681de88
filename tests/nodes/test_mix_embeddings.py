"""Mix Image Embeddings against closed forms, on pictures that the host encoded and on priors."""

import pytest
import torch
from comfy_server import ServerError
from graph import Graph

from mm_core.embedded.prior import load_priors
from mm_core.embedded.weights import load_embedded

pytestmark = pytest.mark.host


class Mixing(Graph):
    def vector(self, seed=0, **given):
        settings = {"count": 1, "width": 48, "length": 7.0, "unit": False, **given}
        return self.add("ProbeEmbedding", seed=seed, **settings)

    def seen(self, name="style"):
        vision = self.add("ProbeVision", width=48)
        return self.add("CLIPVisionEncode", clip_vision=vision, image=self.asset(name),
                        crop="center")  # fmt: skip

    def style(self):
        """The style picture as the embedded model's own encoder sees it."""
        return self.add("CLIPVisionEncode", clip_vision=[self.model[0], 4],
                        image=self.asset("style"), crop="center")  # fmt: skip

    def mixed(self, *embeddings, mode="slerp", amount=0.5, **given):
        connected = {f"embeddings.embedding{i}": e for i, e in enumerate(embeddings)}
        return self.add("MMC_MixEmbeddings", mode=mode, amount=amount, **connected, **given)

    def look(self, *outputs):
        for output in outputs:
            self.keep(self.add("ProbeVectors", output=output, field="image_embeds"))


def looked(comfy, g, *outputs):
    g.look(*outputs)
    return comfy.latents(g.prompt)


@pytest.mark.parametrize("mode", ["lerp", "slerp"])
def test_the_ends_are_the_two_bit_for_bit(comfy, mode):
    g = Mixing()
    a, b = g.seen(), g.seen("segmentation")
    one, other, first, second = looked(
        comfy, g, a, b, g.mixed(a, b, mode=mode, amount=0.0), g.mixed(a, b, mode=mode, amount=1.0)
    )
    assert torch.equal(first, one)
    assert torch.equal(second, other)
    assert not torch.equal(one, other)


def test_between_them_lie_the_line_and_the_circle(comfy):
    g = Mixing()
    a, b = g.vector(1, length=4.0), g.vector(2, length=9.0)
    one, other, line, circle, beyond = looked(
        comfy, g, a, b, g.mixed(a, b, mode="lerp", amount=0.25), g.mixed(a, b, amount=0.5),
        g.mixed(a, b, mode="lerp", amount=1.5),
    )  # fmt: skip
    torch.testing.assert_close(line, 0.75 * one + 0.25 * other)
    torch.testing.assert_close(beyond, 1.5 * other - 0.5 * one, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(float(circle.norm()), 6.0, rtol=1e-4, atol=0)  # of 4 and 9
    half = torch.nn.functional.normalize(one / 4 + other / 9)
    torch.testing.assert_close(circle / 6, half, rtol=1e-4, atol=1e-5)


def test_sums_means_and_differences(comfy):
    g = Mixing()
    a, b, c = (g.vector(k) for k in range(3))
    one, two, three, total, mean, alone, less, none, long = looked(
        comfy, g, a, b, c, g.mixed(a, b, c, mode="sum", weights="2, 1, -0.5"),
        g.mixed(a, b, c, mode="average", weights="1 3 0"), g.mixed(a, mode="average"),
        g.mixed(a, b, mode="subtract", amount=0.4), g.mixed(a, b, mode="subtract", amount=0.0),
        g.mixed(a, g.vector(5, length=2.0), mode="match length"),
    )  # fmt: skip
    torch.testing.assert_close(total, 2 * one + two - 0.5 * three)
    torch.testing.assert_close(mean, 0.25 * one + 0.75 * two)
    assert torch.equal(alone, one)
    assert torch.equal(none, one)
    left = one - 0.4 * two
    torch.testing.assert_close(less, left / left.norm() * one.norm())
    torch.testing.assert_close(long, one * 2 / 7)


def test_one_meets_each_of_a_batch(comfy):
    g = Mixing()
    a, b = g.vector(1), g.vector(2, count=3)
    one, three, mean, first = looked(
        comfy, g, a, b, g.mixed(a, b, mode="average"), g.mixed(a, b, amount=0.0)
    )
    torch.testing.assert_close(mean, (one + three) / 2)
    assert torch.equal(first, one.expand(3, -1))


def test_a_text_difference_turns_by_a_share_of_the_angle(comfy):
    to, origin = "red and white dots", "blue stripes"
    g = Mixing()
    style = g.style()
    words = {"mode": "text difference", "text": to, "instead_of": origin}
    seen, none, half, all_ = looked(
        comfy, g, style, *(g.mixed(style, amount=t, **words) for t in (0.0, 0.5, 1.0))
    )
    assert torch.equal(none, seen)
    said = load_priors()[0].encode(load_embedded()[0].text, [to, origin]).pooled
    there = torch.nn.functional.normalize(said[:1] - said[1:])

    def angle(vector):
        return float(torch.arccos(torch.cosine_similarity(vector, there).clamp(max=1)))

    assert angle(half) == pytest.approx(angle(seen) / 2, rel=1e-3)
    assert angle(all_) == pytest.approx(0, abs=1e-2)
    for made in (half, all_):
        torch.testing.assert_close(made.norm(), seen.norm())


def test_unit_lengths_are_matched_to_a_picture(comfy):
    g = Mixing()
    unit, picture = g.vector(1, unit=True), g.seen()
    seen, long = looked(comfy, g, picture, g.mixed(unit, picture, mode="match length"))
    torch.testing.assert_close(long.norm(), seen.norm())


def test_it_says_what_was_done(comfy):
    g = Mixing()
    node, _ = g.mixed(g.vector(1), g.vector(1), amount=0.25)
    shown = g.add("PreviewAny", source=[node, 1])
    said = comfy.run(g.prompt)[shown[0]]["text"][0]
    assert said == (
        "slerp 0.25 of 2: 1 x an unknown encoder, width 48, mean length 7\n"
        "cosine to each: 1.000, 1.000"
    )


@pytest.mark.parametrize(
    ("made", "given", "words"),
    [
        ([{}, {"width": 1280}], {}, "one embedding is of an unknown encoder, width 48, the other "
         "of OpenCLIP ViT-bigG/14, width 1280"),
        ([{}, {}, {}], {}, "slerp is of two embeddings, and 3 are connected"),
        ([{}], {"mode": "match length"}, "match length is of two embeddings, and 1 is connected: "
         "connect two, of which the second is as long as"),
        ([{}, {"unit": True}], {"mode": "match length"}, "embedding1 has length 1, and match length"
         " is to give the length of an encoder: connect CLIP Vision Encode of a picture there"),
        ([{"count": 2}, {"count": 3}, {}], {"mode": "sum"}, "3 embeddings meet 2"),
        ([{}, {}], {"mode": "sum", "weights": "1"}, "1 weight for 2 embeddings; give a"),
        ([{}, {}], {"mode": "sum", "weights": "1, x"}, "'x' is no number; give one for each embed"),
        ([{}, {}], {"mode": "sum", "weights": "0, 0"}, "the result has length 0"),
        ([{}, {}], {"mode": "sum", "weights": "1e38, 1e38"}, "the result is not finite"),
        ([{}, {}], {"mode": "average", "weights": "1e308, 1e308"}, "more than a number holds"),
        ([{}, {}], {"mode": "average", "weights": "1, -1"}, "add up to 0"),
        ([{}, {}], {"weights": "1, 2"}, "weights are for average and sum; the mode is slerp"),
        ([{}, {"unit": True}], {}, "Mix Image Embeddings, match length"),
        ([{"unit": True}] * 2, {"mode": "average"}, "put each through match length first"),
        ([{}, {"length": 0.0}], {}, "embedding1 has length 0, nothing is told"),
        ([{}], {"mode": "text difference"}, "towards a text, and there is none: say it in text"),
        ([{}, {}], {"mode": "text difference", "text": "a"}, "is of one embedding, and 2 are"),
        ([{}, {}], {"text": "a"}, "text and instead_of are for text difference; the mode is"),
        ([{}], {"mode": "text difference", "text": "a"}, "text difference of an unknown "
         "encoder, width 48 needs its text tower and found no text"),
        ([], {}, "no embedding is connected: connect Diffusion Prior or CLIP Vision Encode"),
        ([{}] * 17, {"mode": "sum"}, "this node has no input embeddings.embedding16: mix"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(comfy, made, given, words):
    g = Mixing()
    g.look(g.mixed(*(g.vector(k, **m) for k, m in enumerate(made)), **given))
    with pytest.raises(ServerError, match=words) as error:
        comfy.run(g.prompt)
    assert "\n" not in str(error.value)


def test_a_socket_is_named_as_it_is_called(comfy):
    g = Mixing()
    connected = {
        "embeddings.embedding0": g.vector(0),
        "embeddings.embedding3": g.vector(length=0.0),
    }
    g.look(g.add("MMC_MixEmbeddings", mode="sum", amount=0.5, **connected))
    with pytest.raises(ServerError, match="embedding3 has length 0, nothing is told"):
        comfy.run(g.prompt)
