"""Words alone into a picture: by the text input, and by a prior at the style input too.

A sentence says what a picture shows, its content, and on what ground. The priors read all of it. No
picture is given to any way but the last.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from ...embedded.conditions import EncodedStream, EncodedText
from ...embedded.defaults import WEIGHTS
from ...embedded.embeddings import style_embedding, text_embedding
from ...embedded.generate import Settings, generate
from ...embedded.model import EmbeddedModel
from ...embedded.prior import EmbeddedPriors
from ...embedded.scenes.captions import caption
from ...embedded.scenes.dataset import Scenes, make_scenes, take
from ...embedded.scenes.ground import MOST_WORDS, ground_words
from ...guidance.program import Program
from ...priors.prior import PriorText, Request
from ...priors.space import ImageEmbedding
from ...types import Float, Modality, Tensor
from ..cases import null_text
from ..measures import Truth, read
from ..oracle import Oracle
from .shown import Shown
from .tally import Tally, figures

SEED = 940_000  # of the scenes
SET = 32  # scenes painted together, a multiple of 4
STEPS = 16
SHOWN = 6  # scenes of the sheet


@dataclass(frozen=True)
class Said:
    """n held-out scenes, what each shows in words, and that with what it shows it on."""

    scenes: Scenes
    contents: list[str]
    sentences: list[str]

    @property
    def truth(self) -> Truth:
        """What the pictures should show."""
        depth = self.scenes.depth.float() / 255
        return Truth(self.scenes.content, self.scenes.style, depth, self.scenes.segment.long())


def said(count: int, seed: int = SEED) -> Said:
    """count scenes, a multiple of 4. Where there would be too many words, arms are not named."""
    scenes, words = make_scenes(count, seed), random.Random(seed)
    contents, sentences = [], []
    for i in range(count):
        shown = caption(scenes.content, scenes.style, i, words, full=True)
        ground = ground_words(scenes.style, i, words, full=True)
        if len(f"{shown} on {ground}".split()) > MOST_WORDS:
            before, _, after = shown.partition(" with arms ")
            shown = f"{before} {after.partition(' ')[2]}"
        contents.append(shown)
        sentences.append(f"{shown} on {ground}")
    return Said(scenes, contents, sentences)


Embed = Callable[[PriorText, list[int], Tensor], ImageEmbedding]
"""(sentences, a seed for each, the scenes' small pictures) -> what the style input is given."""


@dataclass(frozen=True)
class Way:
    """whole: the text input reads the whole sentence, not the content alone. embed: for the style
    input, which is not used without."""

    name: str
    whole: bool
    embed: Embed | None


def ways(model: EmbeddedModel, priors: EmbeddedPriors) -> list[Way]:
    """The first two are by text alone; the last is no words' doing."""

    def asked(kind: str, solver: str = "ancestral") -> Embed:
        return lambda text, seeds, _: priors.priors[kind].sample(
            text, Request(tuple(seeds), guidance=1.0, solver=solver)
        )

    def own(text: PriorText, seeds: list[int], small: Tensor) -> ImageEmbedding:
        shown = small.float() / 255
        return priors.space.embed(style_embedding(model.adapters.style, shown).tokens)

    return [
        Way("text alone, content", False, None),
        Way("text alone, whole sentence", True, None),
        Way("content, and the diffusion prior's mean", False, asked("diffusion", "mean")),
        Way("content, and a sample of it", False, asked("diffusion")),
        Way("content, and the autoregressive prior's", False, asked("autoregressive")),
        Way("content, and the scene's own picture", False, own),
    ]


WAYS, ALONE = 6, 2
"""How many ways() gives, and how many of them are by text alone."""


def steps(count: int) -> int:
    """How often compare() calls on_step."""
    return WAYS * -(-count // SET)


@torch.inference_mode()
def compare(
    model: EmbeddedModel,
    priors: EmbeddedPriors,
    oracle: Oracle,
    count: int,
    on_step: Callable[[], None] = lambda: None,
) -> tuple[dict[str, Any], Shown]:
    """What the oracle reads in each way's pictures, how much more that is than in those of each
    way by text alone, on the same scenes; and some of the pictures."""
    given, chosen = said(count), _shown(count)
    text = priors.encode(model.text, given.sentences)
    scenes = take(given.scenes, chosen).picture.float() / 255
    labels = [given.sentences[k] for k in chosen]
    rows = [("scenes, and their sentences", list(zip(labels, scenes, strict=True)))]
    tallies: dict[str, Tally] = {}
    found = []
    for way in ways(model, priors):
        parts = []
        for start in range(0, count, SET):
            parts.append(_paint(model, priors, way, given, text, start))
            on_step()
        pictures = torch.cat(parts)
        tally = Tally.of(read(oracle, pictures), given.truth)
        alone = list(tallies.items())[:ALONE] if way.embed else []
        found.append(
            {
                "name": way.name,
                "measures": figures(tally),
                "more": {name: figures(tally, other) for name, other in alone},
            }
        )
        tallies[way.name] = tally
        rows.append((way.name, [("", pictures[k]) for k in chosen]))
    weights = {name: WEIGHTS[name] for name in ("text", "style")}
    return {"scenes": count, "steps": STEPS, "weights": weights, "ways": found}, rows


def _shown(count: int) -> list[int]:
    """Scenes of different styles."""
    return list(range(0, count, 4))[:SHOWN]


def _paint(
    model: EmbeddedModel,
    priors: EmbeddedPriors,
    way: Way,
    given: Said,
    text: PriorText,
    start: int,
) -> Float[Tensor, "n 3 h w"]:
    """The SET of scenes from start on, each way with the same noise."""
    part = slice(start, min(start + SET, len(given.sentences)))
    few = PriorText(text.pooled[part], text.tokens[part], text.mask[part])
    seeds = list(range(part.start, part.stop))
    prompts = (given.sentences if way.whole else given.contents)[part]
    words = text_embedding(model.text, prompts).tokens
    encoded: dict[str, EncodedText | EncodedStream] = {"text": EncodedText(words, null_text(model))}
    if way.embed is not None:
        embedding = way.embed(few, seeds, given.scenes.small[part])
        encoded["style"] = EncodedStream("style", priors.space.tokens(embedding))
    program = Program(tuple(Modality(name, WEIGHTS[name]) for name in encoded))
    settings = Settings(steps=STEPS, seed=start, batch=len(seeds))
    return generate(model, program, encoded, null_text(model), settings)[0]
