"""From words to an image embedding, way by way, on captions that training never saw."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from ...embedded.conditions import EncodedStream
from ...embedded.embeddings import style_embedding
from ...embedded.generate import Settings, generate
from ...embedded.model import EmbeddedModel
from ...embedded.prior import EmbeddedPriors, sentence_as_image
from ...embedded.scenes.dataset import Scenes, make_scenes, take
from ...embedded.scenes.ground import style_caption
from ...guidance.program import Program
from ...priors.prior import PriorText, Request
from ...priors.rerank import best_of
from ...priors.space import EMBEDDED, ImageEmbedding
from ...types import Float, Modality, Tensor
from ..cases import null_text
from ..frechet import frechet_distance
from ..measures import Truth, measure, read
from ..oracle import Oracle
from ..summary import summarize

HELD_OUT_SEED = 920_000
FIT_SEED = 700_000  # of the scenes that the linear map is fitted to
RIDGE = 1e-2  # of the mean square of the sentence's numbers
COMPONENTS = 16  # first ones, of the Frechet distance
STYLE_WEIGHT = 2.5
PAINT_STEPS = 13
TIMED = 8  # embeddings in one call

Give = Callable[[PriorText, list[int]], ImageEmbedding]
"""(texts, a seed for each) -> image embeddings."""


@dataclass(frozen=True)
class Way:
    """One way to get an image embedding from words. meaning: for people."""

    name: str
    give: Give
    meaning: str


@dataclass(frozen=True)
class Held:
    """n held-out scenes with captions that name their ground in full."""

    scenes: Scenes
    text: PriorText
    true: ImageEmbedding


@torch.no_grad()
def held(model: EmbeddedModel, priors: EmbeddedPriors, count: int, seed: int, full: bool) -> Held:
    """count scenes, a multiple of 4. full: captions name both colours and the family."""
    scenes, words = make_scenes(count, seed), random.Random(seed)
    captions = [
        style_caption(scenes.content, scenes.style, i, words, full) for i in range(len(scenes))
    ]
    tokens = style_embedding(model.adapters.style, scenes.small.float() / 255).tokens
    return Held(scenes, priors.encode(model.text, captions), priors.space.embed(tokens))


def fit_linear(
    sentences: Float[Tensor, "n d"], vectors: Float[Tensor, "n e"]
) -> Callable[[Float[Tensor, "b d"]], Float[Tensor, "b e"]]:
    """The ridge regression from a sentence vector to an image embedding.

    Source: Hoerl and Kennard 1970, Ridge regression.
    """
    given = torch.cat([sentences, torch.ones(len(sentences), 1)], 1).double()
    penalty = RIDGE * len(given) * sentences.double().square().mean()
    square = given.T @ given
    square.diagonal()[:-1] += penalty
    weight = torch.linalg.solve(square, given.T @ vectors.double()).float()
    return lambda sentence: sentence @ weight[:-1] + weight[-1]


def ways(
    priors: EmbeddedPriors, linear: Callable[[Tensor], Tensor], length: float, empty: PriorText
) -> list[Way]:
    """All that are compared. length: root mean square of true embeddings."""
    diffusion, coded = priors.priors["diffusion"], priors.priors["autoregressive"]

    def diffused(count: int, **asked: Any) -> Give:
        return lambda text, seeds: best_of(
            diffusion, count, text, Request(tuple(seeds), **asked), empty
        )

    def told(count: int, guidance: float) -> Give:
        return lambda text, seeds: best_of(
            coded, count, text, Request(tuple(seeds), guidance=guidance)
        )

    return [
        Way("text straight through", lambda text, _: sentence_as_image(text, length),
            "the sentence vector at the length of an image embedding, no prior"),
        Way("linear map", lambda text, _: ImageEmbedding(linear(text.pooled), EMBEDDED),
            "ridge regression from the sentence vector"),
        Way("diffusion", diffused(1, guidance=1.0), "25 steps, no guidance"),
        Way("diffusion, best of 2", diffused(2, guidance=1.0), "two attempts, nearest kept"),
        Way("diffusion, guidance 2", diffused(1, guidance=2.0), "25 steps"),
        Way("diffusion, guidance 2, best of 2", diffused(2, guidance=2.0), "two attempts"),
        Way("diffusion, guidance 2, DDIM", diffused(1, guidance=2.0, steps=8, solver="ddim"),
            "8 steps"),
        Way("autoregressive", told(1, 1.0), "code by code, no guidance"),
        Way("autoregressive, best of 2", told(2, 1.0), "two attempts, nearest kept"),
        Way("autoregressive, guidance 2", told(1, 2.0), "on logits"),
    ]  # fmt: skip


def cosines(
    model: EmbeddedModel, priors: EmbeddedPriors, count: int, fitted: int = 1024
) -> dict[str, float]:
    """The mean cosine to the true embedding, for each way, on `count` held-out captions."""
    data, chosen = _prepared(model, priors, count, fitted)
    return {
        way.name: round(
            float(
                F.cosine_similarity(
                    way.give(data.text, list(range(count))).vectors, data.true.vectors
                ).mean()
            ),
            4,
        )
        for way in chosen
    }


def _prepared(
    model: EmbeddedModel, priors: EmbeddedPriors, count: int, fitted: int
) -> tuple[Held, list[Way]]:
    data = held(model, priors, count, HELD_OUT_SEED, full=True)
    past = held(model, priors, fitted, FIT_SEED, full=False)
    length = float(past.true.vectors.square().sum(1).mean().sqrt())
    linear = fit_linear(past.text.pooled, past.true.vectors)
    return data, ways(priors, linear, length, priors.encode(model.text, [""]))


def compare(
    model: EmbeddedModel,
    priors: EmbeddedPriors,
    oracle: Oracle,
    count: int,
    painted: int,
    on_step: Callable[[], None] = lambda: None,
    fitted: int = 1024,
) -> dict[str, Any]:
    """Cosine to the true embedding, length, Frechet distance, what pictures show, and time.

    count: held-out captions. painted: of those, how many are painted. Multiples of 4.
    """
    data, chosen = _prepared(model, priors, count, fitted)
    on_step()
    other = ImageEmbedding(data.true.vectors.roll(4, 0), EMBEDDED)  # groups of 4 share a style
    lines, straight = [], None
    for way in chosen:
        made = way.give(data.text, list(range(count)))
        cosine = F.cosine_similarity(made.vectors, data.true.vectors)
        straight = cosine if straight is None else straight
        line = _line(way.name, way.meaning, made, cosine, data, model, priors, oracle, painted)
        line["less_straight"] = summarize(cosine - straight)
        line["milliseconds"] = _milliseconds(way.give, data.text)
        lines.append(line)
        on_step()
    for name, meaning, made in (
        ("true embedding", "of the scene's own picture", data.true),
        ("another scene's", "chance", other),
    ):
        cosine = F.cosine_similarity(made.vectors, data.true.vectors)
        lines.append(_line(name, meaning, made, cosine, data, model, priors, oracle, painted))
        on_step()
    return {"captions": count, "painted": painted, "fitted": fitted, "ways": lines}


STEPS = 13
"""How often compare() calls on_step."""


def _line(
    name: str,
    meaning: str,
    made: ImageEmbedding,
    cosine: Tensor,
    data: Held,
    model: EmbeddedModel,
    priors: EmbeddedPriors,
    oracle: Oracle,
    painted: int,
) -> dict[str, Any]:
    truth = data.true.vectors
    shown = paint(model, priors, made, painted)
    reading = measure(read(oracle, shown), _truth(data.scenes, painted))
    return {
        "name": name,
        "meaning": meaning,
        "cosine": summarize(cosine),
        "length": float(made.vectors.norm(dim=1).mean() / truth.norm(dim=1).mean()),
        "frechet": frechet_distance(made.vectors[:, :COMPONENTS], truth[:, :COMPONENTS]),
        "family": summarize(reading["style_family"]),
        "palette_mae": summarize(reading["style_palette_mae"]),
    }


@torch.inference_mode()
def paint(
    model: EmbeddedModel, priors: EmbeddedPriors, made: ImageEmbedding, count: int
) -> Float[Tensor, "n 3 h w"]:
    """Pictures of the first `count` embeddings through the style input alone, without words."""
    program = Program((Modality("style", STYLE_WEIGHT),))
    first = ImageEmbedding(made.vectors[:count], made.space, made.unit)
    encoded = {"style": EncodedStream("style", priors.space.tokens(first))}
    settings = Settings(steps=PAINT_STEPS, batch=count, seed=1)
    return generate(model, program, encoded, null_text(model), settings)[0]


def _truth(scenes: Scenes, count: int) -> Truth:
    first = take(scenes, torch.arange(count))
    depth = first.depth.float() / 255
    return Truth(first.content, first.style, depth, first.segment.long())


def _milliseconds(give: Give, text: PriorText) -> float:
    """For each embedding, in a call of TIMED."""
    few = PriorText(text.pooled[:TIMED], text.tokens[:TIMED], text.mask[:TIMED])
    started = time.perf_counter()
    give(few, list(range(len(few))))
    return 1e3 * (time.perf_counter() - started) / len(few)
