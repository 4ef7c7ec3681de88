"""Ways between image embeddings, painted: how evenly pictures change, and where words lead."""

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from ...embedded.embeddings import style_embedding
from ...embedded.model import EmbeddedModel
from ...embedded.prior import EmbeddedPriors
from ...embedded.scenes.attributes import FAMILIES
from ...embedded.scenes.dataset import GROUP, make_scenes, take
from ...embedded.scenes.ground import ground_words
from ...embedded.scenes.style import Style
from ...priors import mix
from ...priors.prior import Request
from ...priors.space import ImageEmbedding
from ...types import Float, Tensor
from ..measures import read
from ..oracle import Oracle
from ..summary import summarize
from .priors import paint
from .shown import Shown

SEED = 950_000  # of the scenes
PLACES = tuple(k / 6 for k in range(7))  # from one picture to the other
TURN = 0.5  # share of the angle to the text difference, the paper's most
AMOUNT = 1.5  # times the difference of the prior's means
SHOWN = 2  # pairs of the sheet
WAYS: dict[str, Callable[[ImageEmbedding, ImageEmbedding, float], ImageEmbedding]] = {
    "lerp": mix.lerp,
    "slerp": mix.slerp,
}


def steps(count: int) -> int:
    """How often compare() calls on_step; count does not matter."""
    return (len(WAYS) + 2) * len(PLACES)


@torch.inference_mode()
def compare(
    model: EmbeddedModel,
    priors: EmbeddedPriors,
    oracle: Oracle,
    count: int,
    on_step: Callable[[], None] = lambda: None,
) -> tuple[dict[str, Any], Shown]:
    """From each of count / 4 pictures of different styles to the next one, and by words to another
    family of texture; painted by the style input alone, each pair from one noise.

    count: held-out scenes, of which every fourth is taken.
    """
    scenes = take(make_scenes(count, SEED), torch.arange(0, count, GROUP))
    picture = scenes.picture.float() / 255
    tokens = style_embedding(model.adapters.style, scenes.small.float() / 255).tokens
    start = priors.space.embed(tokens)
    end = ImageEmbedding(start.vectors.roll(-1, 0), start.space)
    found: dict[str, Any] = {"pairs": len(scenes), "ways": []}
    rows = []

    def painted(at: Callable[[float], ImageEmbedding], places: list[float]) -> Tensor:
        out = []
        for t in places:
            out.append(paint(model, priors, at(t), len(scenes)))
            on_step()
        return torch.stack(out, 1)

    for name, way in WAYS.items():
        shown = painted(partial(way, start, end), list(PLACES))
        again = priors.space.embed(
            style_embedding(model.adapters.style, shown.flatten(0, 1)).tokens
        ).vectors.unflatten(0, shown.shape[:2])
        found["ways"].append({"name": name, **evenness(shown, again, end.vectors - start.vectors)})
        for k in _changing(scenes.style):
            ends = [("from", picture[k]), ("to", picture[(k + 1) % len(picture)])]
            tiles = [(f"{t:.2f}", shown[k, i]) for i, t in enumerate(PLACES)]
            rows.append((name, [ends[0], *tiles, ends[1]]))

    origin, other, target = other_ground(scenes.style)
    found["words"] = []
    for name, (at, places) in _by_words(model, priors, start, origin, other).items():
        shown = painted(at, places)
        readings = [read(oracle, part) for part in (shown[:, 0], shown[:, -1])]
        reached = [(r.whole["family"].argmax(1) == target).float() for r in readings]
        palette = [(r.whole["palette"] - scenes.style.palette()).abs().mean(1) for r in readings]
        found["words"].append(
            {
                "name": name,
                "farthest": places[-1],
                "before": summarize(reached[0]),
                "after": summarize(reached[1]),
                "palette_before": summarize(palette[0]),
                "palette_after": summarize(palette[1]),
            }
        )
        k = int((reached[1] - reached[0]).argmax())
        tiles = [(f"{t:.2f}", shown[k, i]) for i, t in enumerate(places)]
        rows.append((f"{name}: {origin[k]} to {other[k]}", [("from", picture[k]), *tiles]))
    return found, rows


Mixed = tuple[Callable[[float], ImageEmbedding], list[float]]
"""An embedding at each place, and the places."""


def _by_words(
    model: EmbeddedModel,
    priors: EmbeddedPriors,
    start: ImageEmbedding,
    origin: list[str],
    other: list[str],
) -> dict[str, Mixed]:
    """From start by what `other` says and `origin` does not: their sentences, and the means that
    the diffusion prior has for them."""
    said, meant = priors.encode(model.text, origin), priors.encode(model.text, other)
    request = Request(tuple(range(len(origin))), guidance=1.0, solver="mean")
    before, after = (priors.priors["diffusion"].sample(text, request) for text in (said, meant))
    return {
        "text difference": (
            lambda t: mix.text_diff(start, meant, said, t),
            [TURN * t for t in PLACES],
        ),
        "difference of the prior's means": (
            lambda t: mix.weighted_sum([start, after, before], [1.0, t, -t]),
            [AMOUNT * t for t in PLACES],
        ),
    }


def _changing(style: Style) -> list[int]:
    """The first pairs whose families differ."""
    return (style.family != style.family.roll(-1)).nonzero()[:SHOWN, 0].tolist()


def evenness(
    shown: Float[Tensor, "n k 3 h w"],
    again: Float[Tensor, "n k d"],
    way: Float[Tensor, "n d"],
) -> dict[str, Any]:
    """How smoothly pictures change along n ways of k places.

    largest: of the steps between neighbours in pixels (root mean square), the largest over the sum
    of all; 1 / (k - 1) where all are equal, 1 where everything changes at once. forward: share of
    neighbours of which the later one's own image embedding, `again`, lies farther along the way.
    """
    step = (shown[:, 1:] - shown[:, :-1]).square().mean((2, 3, 4)).sqrt()
    along = (again * way[:, None]).sum(2).diff(dim=1)
    return {
        "largest": summarize(step.max(1).values / step.sum(1)),
        "forward": summarize((along > 0).float().mean(1)),
    }


def other_ground(style: Style) -> tuple[list[str], list[str], Tensor]:
    """The words of each ground, the same with the next family, and that family's number."""
    target = (style.family + 1) % len(FAMILIES)
    origin = [ground_words(style, i, random.Random(0), full=True) for i in range(len(target))]
    other = [
        said.removesuffix(FAMILIES[int(a)]) + FAMILIES[int(b)]
        for said, a, b in zip(origin, style.family, target, strict=True)
    ]
    return origin, other, target
