"""A MODEL that another pack patched for image prompts, under our guider.

Such patches read 0 and 1 for the sides of classifier-free guidance. One step of euler from the
first noise level to 0 gives a row's prediction, so core's own sampler tells what each row must be.
"""

import pytest
import torch
from compare import off
from test_ip_adapter import Prompted, latents

pytestmark = pytest.mark.host

PROMPTS = "a red circle", "a blue star", "a large green square", "yellow waves"
WEIGHTS = 3.0, 2.0, 1.5, 2.5


class Patched(Prompted):
    def __init__(self, images=1, layout="SD1.5"):
        super().__init__(layout)
        self.plain, self.images = self.model, images
        self.model = self.patched("both")

    def patched(self, sides, model=None):
        model = model or self.plain
        return self.add("ProbeChunks", model=model, sides=sides, images=self.images)

    def condition(self, conditioning, absent=None, **given):
        return self.add(
            "MMC_Condition", conditioning=conditioning, absent=absent or self.words(), name="text",
            **{"weight": 3.0, "start": 0.0, "end": 1.0, **given},
        )  # fmt: skip

    def native_of(self, positive, negative=None, cfg=3.0, **sampling):
        return self.add(
            "KSampler", model=self.model, positive=positive, negative=negative or self.words(),
            cfg=cfg, **self.sampling(**sampling),
        )  # fmt: skip

    def row(self, prompt, sides, **sampling):
        """What one row alone predicts, on a side."""
        own, self.model = self.model, self.patched(sides)
        found = self.native_of(self.words(prompt), cfg=1.0, steps=1, **sampling)
        self.model = own
        return found

    def applied(self, model, style):
        node, _ = self.add(
            "MMC_ApplyImagePrompt", model=model, positive=self.words("a red circle"),
            negative=self.words(), modality=style,
        )  # fmt: skip
        return [[node, i] for i in range(3)]


@pytest.mark.parametrize("count", [1, 2, 4], ids=lambda n: f"{n + 1} rows")
@pytest.mark.parametrize("images", [1, 2])
def test_every_row_is_on_its_side(adapters, count, images):
    """Of prompts on their own, the first is on the prompt's side; the others and none are not."""
    g = Patched(images)
    several = {"latent_image": g.empty(batch=images)}
    prompts, weights = PROMPTS[:count], WEIGHTS[:count]
    texts = [g.text(p, weight=w) for p, w in zip(prompts, weights, strict=True)]
    ours = g.guided(*texts, composition="independent", steps=1, **several)
    sides = ["prompt"] + ["other"] * (count - 1)
    rows = [g.row(p, side, **several) for p, side in zip(prompts, sides, strict=True)]
    wrong = g.row(prompts[0], "other", **several)
    found, none, swapped, *each = latents(
        adapters, g, ours, g.row("", "other", **several), wrong, *rows
    )
    wanted = none + sum(w * (one - none) for w, one in zip(weights, each, strict=True))
    assert off(found, wanted) < 1e-4
    assert off(each[0], swapped) > 1e-3


def test_one_row_is_on_the_prompts_side(adapters):
    g = Patched()
    ours, core = latents(
        adapters, g, g.guided(g.text(PROMPTS[0], weight=1.0)),
        g.native_of(g.words(PROMPTS[0]), cfg=1.0),
    )  # fmt: skip
    assert torch.equal(ours, core)


@pytest.mark.parametrize("images", [1, 2])
def test_one_text_is_core(adapters, images):
    g = Patched(images)
    several = {"latent_image": g.empty(batch=images)}
    core = g.native_of(g.words(PROMPTS[0]), **several)
    ours = g.guided(g.condition(g.words(PROMPTS[0])), **several)
    one, other = latents(adapters, g, core, ours)
    assert torch.equal(one, other)


@pytest.mark.parametrize("composition", ["leave_one_out", "joint"])
def test_where_memory_runs_out_no_row_changes_its_side(adapters, composition):
    """Where memory runs out, each row is a call of its own."""
    g = Patched()
    texts = [g.text(p, weight=w) for p, w in zip(PROMPTS[:3], WEIGHTS[:3], strict=True)]
    together = g.guided(*texts, composition=composition, steps=2)
    g.model = g.add("ProbeFault", model=g.model, fault="memory", after=0, rows=1, times=0)
    apart, one = latents(adapters, g, g.guided(*texts, composition=composition, steps=2), together)
    assert off(apart, one) < 1e-4


def test_areas_are_as_in_core(adapters):
    """Four entries on two sides, of two sizes: calls with one, two and three chunks."""
    g = Patched()

    def part(prompt, x, width):
        return g.add(
            "ConditioningSetArea", conditioning=g.words(prompt), width=width, height=128, x=x, y=0,
            strength=1.0,
        )  # fmt: skip

    both = g.add(
        "ConditioningCombine", conditioning_1=part(PROMPTS[0], 0, 64),
        conditioning_2=part(PROMPTS[1], 48, 80),
    )  # fmt: skip
    one, other = latents(adapters, g, g.native_of(both), g.guided(g.condition(both, g.words())))
    assert off(one, other) < 1e-5


def test_beside_one_of_ours_the_order_of_nodes_does_not_matter(adapters):
    """Ours goes on acting where the other pack's nodes come after it, and theirs where before."""
    g = Patched()
    style = g.style()
    model, positive, negative = g.applied(g.model, style)
    g.model = model
    after = g.native_of(positive, negative)
    model, positive, negative = g.applied(g.plain, style)
    g.model = g.patched("both", model)
    before = g.native_of(positive, negative)
    alone = g.native_of(g.words("a red circle"))
    g.model, text = g.patched("both"), g.text("a red circle", weight=3.0)
    guided = g.guided(text, g.style(weight=3.0), composition="joint")
    one, other, theirs, joint = latents(adapters, g, after, before, alone, guided)
    assert off(one, theirs) > 1e-3
    assert off(one, other) < 1e-5
    assert off(joint, one) < 1e-5


def test_five_rows_with_one_of_ours_are_as_rows_apart(adapters):
    g = Patched()
    inputs = (
        g.text(PROMPTS[0], weight=3.0), g.style(), g.style(file="two.safetensors", weight=2.0),
        g.text(PROMPTS[1], weight=2.0),
    )  # fmt: skip
    together = g.guided(*inputs, steps=2)
    g.model = g.add("ProbeFault", model=g.model, fault="memory", after=0, rows=1, times=0)
    one, apart = latents(adapters, g, together, g.guided(*inputs, steps=2))
    assert off(apart, one) < 1e-4
