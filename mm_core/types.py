"""The vocabulary every stage shares. Imports torch and nothing of ours but errors.

Axes, the same letters everywhere: b samples, n tokens, d token width, c latent channels,
h rows, w columns, *space latent rows and columns (and frames before them, for video).

sigma is the noise level. The embedded model is a rectified flow: sigma runs from 1 (noise) to 0.

A modality is one named input. A row is one evaluation of the network, which sees a set of
modalities at given strengths: J is the row with all of them, J\\i all but i, null none.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import InitVar, dataclass, field

from torch import Tensor

from .errors import PlanError

try:
    from jaxtyping import Bool, Float
    from jaxtyping import Integer as Int  # bytes too
except ImportError:  # a development dependency: without it the shapes are notes, not checks
    from typing import Annotated as Bool
    from typing import Annotated as Float
    from typing import Annotated as Int

__all__ = [
    "Bool",
    "Float",
    "Int",
    "Latent",
    "Modality",
    "ModalityEmbedding",
    "Moment",
    "NullTokens",
    "Picture",
    "Row",
    "Tensor",
    "Tokens",
    "Window",
]

Latent = Float[Tensor, "b c *space"]
Tokens = Float[Tensor, "b n d"]
NullTokens = Float[Tensor, "_ _ d"]  # one for all samples, or one each
Picture = Float[Tensor, "b 3 h w"]  # RGB, 0 to 1


@dataclass(frozen=True)
class ModalityEmbedding:
    """What one encoder says about one input. mask is True where a token is real, not padding."""

    modality: str
    tokens: Tokens
    mask: Bool[Tensor, "b n"]


@dataclass(frozen=True)
class Row:
    """Which modalities one network evaluation sees, and how strongly. Equal rows are one row.

    strengths holds (name, strength) sorted by name, without zeros, so that two ways of saying the
    same thing compare and hash alike. 1 is the strength at which the modality was trained.
    """

    strengths: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of(cls, names: Iterable[str] | Mapping[str, float]) -> "Row":
        """The row that sees these names at strength 1, or at the strengths given."""
        table = names if isinstance(names, Mapping) else dict.fromkeys(names, 1.0)
        return cls(tuple(sorted((n, float(s)) for n, s in table.items() if s != 0)))

    def strength(self, name: str) -> float:
        """0 where this row does not see the modality."""
        return dict(self.strengths).get(name, 0.0)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.strengths)

    def __str__(self) -> str:
        said = [n if s == 1 else f"{n}*{s:g}" for n, s in self.strengths]
        return "+".join(said) or "null"


NULL = Row()


ROUNDING = 1e-6  # what hosts round noise levels by: they have them in single precision


@dataclass(frozen=True)
class Moment:
    """Where sampling is. Whatever begins or ends somewhere asks `reached` or `noisier`.

    progress: 0 at the first step of a full run, towards 1.
    noise: ratio of noise to signal, from above 0 to infinity; sigma / (1 - sigma) in a rectified
    flow, sigma itself where the signal is not scaled.
    reached_at: how the host itself tells whether a share of sampling has been reached.
    """

    progress: float
    noise: float = 1.0
    reached_at: Callable[[float], bool] | None = field(default=None, compare=False, repr=False)

    def reached(self, share: float) -> bool:
        """Whether sampling has come to a share of it, 0 to 1; without a host, within rounding."""
        if self.reached_at is not None:
            return self.reached_at(share)
        return share <= self.progress + ROUNDING

    def noisier(self, ratio: float) -> bool:
        """Whether there is more noise to signal than a ratio, and not just by rounding: that of
        sigma / (1 - sigma) grows with the ratio."""
        return self.noise > ratio * (1 + ROUNDING * (1 + ratio))


@dataclass(frozen=True)
class Window:
    """The part of sampling, 0 (start) to 1 (end), in which something acts. Equal ends: never.

    Half open: two windows that meet never both act at the step where they meet. One that ends at
    1 acts to the very end: samplers may evaluate at, or within rounding of, 1. of: what it is a
    window of, for errors.
    """

    start: float = 0.0
    end: float = 1.0
    of: InitVar[str] = ""

    def __post_init__(self, of: str) -> None:
        if not (0 <= self.start <= self.end <= 1):
            raise PlanError(
                f"{of + ': the' if of else 'a'} window runs from {self.start:g} to {self.end:g}; "
                "both ends must lie in 0..1 with the start first"
            )

    def open_at(self, at: Moment | float) -> bool:
        """at: a moment, or its progress."""
        now = _moment(at)
        if self.start == self.end or not now.reached(self.start):
            return False
        return self.end == 1 or not now.reached(self.end)


def _moment(at: Moment | float) -> Moment:
    return at if isinstance(at, Moment) else Moment(at)


@dataclass(frozen=True)
class Modality:
    """One input's name, guidance weight and window.

    weight: 0 ignores the input, 1 is what the model does by itself, more pushes towards it,
    less than 0 pushes away from it. Several numbers are one for each image of the batch, and an
    image is what its number would make of all; 0 ignores the input whatever schedule and mask.
    schedule: multiplies the weight's distance from 1 at each moment.
    mask: (b or 1, h, w), 0 to 1, multiplies the same distance at each place of the latent.
    group: modalities of one group are dropped together where others are left out one by one.
    continuous: whether strengths other than 0 and 1 mean anything to it.
    within: it acts only where one of these is open, too; the parts in which its source exists.
    """

    name: str
    weight: float | tuple[float, ...] = 1.0
    window: Window = field(default_factory=Window)
    schedule: Callable[[Moment], float] | None = None
    mask: Tensor | None = field(default=None, compare=False)
    group: str = ""
    continuous: bool = True
    within: tuple[Window, ...] = (Window(),)

    def __post_init__(self) -> None:
        if not self.weights or not all(map(math.isfinite, self.weights)):
            raise PlanError(
                f"the weight of {self.name} is {self.weight}; it must be a finite number, "
                "for example 1.5, or one for each image"
            )
        if self.mask is not None and self.mask.ndim != 3:
            raise PlanError(
                f"the mask of {self.name} has the shape {tuple(self.mask.shape)}; needed images, "
                "rows and columns"
            )

    @property
    def weights(self) -> tuple[float, ...]:
        """The weight as one number, or one for each image."""
        return self.weight if isinstance(self.weight, tuple) else (self.weight,)

    @property
    def ever(self) -> bool:
        """False where the modality changes nothing at any time."""
        there = any(part.start < part.end for part in self.within)
        return any(self.weights) and there and self.window.start < self.window.end

    def acts_at(self, at: Moment | float) -> bool:
        """False where the modality changes nothing and no row needs to see it."""
        return self.there_at(at) and self.wanted_at(at)

    def there_at(self, at: Moment | float) -> bool:
        """Whether its source exists."""
        return any(part.open_at(at) for part in self.within)

    def wanted_at(self, at: Moment | float) -> bool:
        """Whether weight and window let it act, where it exists."""
        return any(self.weights) and self.window.open_at(at)
