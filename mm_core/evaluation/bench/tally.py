"""How well one setting obeys text and style, group by group of scenes, and what chance there is in
it: settings that were tried on the same scenes are drawn together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ...embedded.scenes.content import Content
from ...embedded.scenes.dataset import GROUP
from ...types import Float, Int, Tensor
from ..measures import Truth, measure
from ..oracle import Reading
from ..summary import summarize

TEXT = ("text_color", "text_shape", "text_relation")
STYLE, PALETTE = "style_family", "style_palette_mae"
NAMES = (*TEXT, STYLE, PALETTE)
RESAMPLES = 2000
MIDDLE = (0.025, 0.975)  # what a 95 % interval lies between


@dataclass(frozen=True)
class Tally:
    """Sums and numbers of cases, by group of scenes that share a style and by measure of NAMES."""

    total: Float[Tensor, "g m"]
    count: Float[Tensor, "g m"]

    @classmethod
    def of(cls, reading: Reading, truth: Truth) -> "Tally":
        """The tally of a multiple of GROUP scenes."""
        found, groups = measure(reading, truth), len(truth.style.family) // GROUP
        scene = scene_of_cases(truth.content)
        total, count = (torch.zeros(groups, len(NAMES), dtype=torch.float64) for _ in range(2))
        for k, name in enumerate(NAMES):
            group = scene[name] // GROUP
            total[:, k].index_add_(0, group, found[name].double())
            count[:, k].index_add_(0, group, torch.ones(len(group), dtype=torch.float64))
        return cls(total, count)

    @classmethod
    def joined(cls, parts: Sequence["Tally"]) -> "Tally":
        """The groups of all parts."""
        return cls(torch.cat([p.total for p in parts]), torch.cat([p.count for p in parts]))

    def means(self, drawn: Int[Tensor, "r g"]) -> Float[Tensor, "r m"]:
        """The mean of each measure over the cases of the drawn groups; 0 where none has a case."""
        total, count = self.total[drawn].sum(1), self.count[drawn].sum(1)
        return total / count.clamp(min=1)


def scene_of_cases(content: Content) -> dict[str, Int[Tensor, " cases"]]:
    """Which scene each case is of, in the order in which measure() gives the cases."""
    scenes = torch.arange(len(content.kind))
    objects = content.has[:, :2].nonzero()[:, 0]
    return {
        "text_color": objects,
        "text_shape": objects,
        "text_relation": scenes[content.relation >= 0],
        STYLE: scenes,
        PALETTE: scenes,
    }


def everything(groups: int) -> Int[Tensor, "1 g"]:
    """Every group once."""
    return torch.arange(groups)[None]


def resamples(groups: int) -> Int[Tensor, "r g"]:
    """Groups drawn with replacement, the same for all settings.

    Source: Efron and Tibshirani 1993, An introduction to the bootstrap, chapter 13.
    """
    rng = torch.Generator().manual_seed(0)
    return torch.randint(groups, (RESAMPLES, groups), generator=rng)


def text_and_style(means: Float[Tensor, "r m"]) -> tuple[Float[Tensor, " r"], Float[Tensor, " r"]]:
    """Text adherence, the mean of colour, shape and relation, and the share of right texture
    families, both in points of 100."""
    return 100 * means[:, : len(TEXT)].mean(1), 100 * means[:, NAMES.index(STYLE)]


def figures(one: Tally, less: Tally | None = None) -> dict[str, dict[str, float]]:
    """The mean of each measure of NAMES, or how much more it is than the other's on the same
    scenes, and half of the 95 % interval of that."""

    def means(drawn: Int[Tensor, "r g"]) -> Float[Tensor, "r m"]:
        return one.means(drawn) - (less.means(drawn) if less is not None else 0.0)

    groups = len(one.total)
    found, drawn = means(everything(groups))[0], means(resamples(groups))
    out = {}
    for k, name in enumerate(NAMES):
        low, high = interval(drawn[:, k])
        out[name] = {"value": float(found[k]), "interval": (high - low) / 2}
    return out


def by_group(values: Float[Tensor, " n"]) -> dict[str, Any]:
    """Of the means of groups of scenes, which share a style and so are like each other."""
    return summarize(values.unflatten(0, (-1, GROUP)).mean(1))


def interval(values: Float[Tensor, " r"]) -> tuple[float, float]:
    """The two ends of the 95 % interval of resampled values."""
    ends = values.sort().values
    low, high = (ends[min(len(ends) - 1, int(share * len(ends)))] for share in MIDDLE)
    return float(low), float(high)
