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
from ...embedded.prior import EmbeddedPriors
from ...embedded.scenes.dataset import Scenes, make_scenes, take
from ...embedded.scenes.ground import style_caption
from ...guidance.program import Program
from ...priors.prior import PriorText
from ...priors.space import EMBEDDED, ImageEmbedding
from ...types import Float, Modality, Tensor
from ..cases import null_text
from ..frechet import frechet_distance
from ..measures import Truth, measure, read
from ..oracle import Oracle
from .near import attempts, difference
from .priors_ways import LINEAR, STRAIGHT, Give, Way, fit_linear, ways
from .tally import by_group

HELD_OUT_SEED = 920_000
FIT_SEED = 700_000  # of the scenes that the linear map is fitted to
COMPONENTS = 16  # first ones, of the Frechet distance
STYLE_WEIGHT = 2.5
PAINT_STEPS = 13
TIMED, REPEATS = 8, 3  # embeddings in one call that is timed, and calls
PIECE = 128  # captions between two calls of on_step


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
    near: dict[str, Tensor] = {}
    lines = []

    def add(name: str, meaning: str, made: ImageEmbedding) -> None:
        near[name] = F.cosine_similarity(made.vectors, data.true.vectors)
        lines.append(_line(name, meaning, made, near[name], data, model, priors, oracle, painted))

    for way in chosen:
        add(way.name, way.meaning, _in_pieces(way.give, data.text, on_step))
        lines[-1] |= {
            "less_straight": difference(near, way.name, STRAIGHT),
            "less_linear": difference(near, way.name, LINEAR),
            "milliseconds": _milliseconds(way.give, data.text),
        }
    add("true embedding", "of the scene's own picture", data.true)
    add("another scene's", "chance", other)
    on_step()
    return {
        "captions": count,
        "painted": painted,
        "fitted": fitted,
        "threads": torch.get_num_threads(),
        "ways": lines,
        "attempts": attempts(near),
    }


def steps(count: int) -> int:
    """How often compare() calls on_step."""
    return 2 + WAYS * -(-count // PIECE)


WAYS = 11
"""How many ways() gives."""


def _in_pieces(give: Give, text: PriorText, on_step: Callable[[], None]) -> ImageEmbedding:
    """The caption's number is its seed."""
    made = []
    for start in range(0, len(text), PIECE):
        part = slice(start, start + PIECE)
        some = PriorText(text.pooled[part], text.tokens[part], text.mask[part])
        made.append(give(some, list(range(start, start + len(some)))))
        on_step()
    return ImageEmbedding(torch.cat([m.vectors for m in made]), made[0].space)


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
        "cosine": by_group(cosine),
        "length": float(made.vectors.norm(dim=1).mean() / truth.norm(dim=1).mean()),
        "frechet": frechet_distance(made.vectors[:, :COMPONENTS], truth[:, :COMPONENTS]),
        "family": by_group(reading["style_family"]),
        "palette_mae": by_group(reading["style_palette_mae"]),
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
    """For each embedding, in a call of TIMED; the least of REPEATS calls."""
    few = PriorText(text.pooled[:TIMED], text.tokens[:TIMED], text.mask[:TIMED])
    taken = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        give(few, list(range(len(few))))
        taken.append(time.perf_counter() - started)
    return 1e3 * min(taken) / len(few)
