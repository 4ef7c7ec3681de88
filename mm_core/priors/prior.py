"""What every prior is given and gives."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch

from ..errors import InputError
from ..types import Bool, Float, Tensor
from .space import ImageEmbedding, Space

Tick = Callable[[int, int], None]
"""Called after each step with how many are done, and of how many; may raise to cancel."""


def no_tick(done: int, total: int) -> None:
    """For callers that show nothing."""


@dataclass(frozen=True)
class PriorText:
    """b texts as the text tower of the prior's own CLIP encodes them.

    pooled: the projected sentence vector, as wide as the image embeddings. tokens: hidden states
    after the final norm. mask: True where a token is real, not padding.
    """

    pooled: Float[Tensor, "_ d"]
    tokens: Float[Tensor, "_ _ e"]
    mask: Bool[Tensor, "_ _"]

    def __post_init__(self) -> None:
        if self.tokens.shape[:2] != self.mask.shape or len(self.pooled) != len(self.mask):
            raise InputError(
                f"the encoded text does not fit itself: pooled {tuple(self.pooled.shape)}, "
                f"tokens {tuple(self.tokens.shape)}, mask {tuple(self.mask.shape)}; "
                "give all three of one encoder's run"
            )
        if self.mask.dtype != torch.bool:
            raise InputError(
                f"the text's mask holds {self.mask.dtype}; needed torch.bool, True where a token "
                "is real"
            )

    def __len__(self) -> int:
        return len(self.pooled)

    @property
    def shown(self) -> Float[Tensor, "_ _ e"]:
        """The tokens, with zeros for padding: whatever was there, 0 times it is to be 0."""
        return self.tokens.where(self.mask[..., None], 0)

    def repeated(self, count: int) -> "PriorText":
        """Each text count times, one text's copies beside each other."""
        return PriorText(
            self.pooled.repeat_interleave(count, 0),
            self.tokens.repeat_interleave(count, 0),
            self.mask.repeat_interleave(count, 0),
        )

    def sized(self, count: int) -> "PriorText":
        """One text for count images, or as many as there are."""
        if len(self) == count:
            return self
        if len(self) != 1:
            raise InputError(f"{len(self)} texts for {count} images; needed 1 or {count}")
        return self.repeated(count)


def join(*texts: PriorText) -> PriorText:
    """Several batches of texts as one."""
    return PriorText(
        torch.cat([t.pooled for t in texts]),
        torch.cat([t.tokens for t in texts]),
        torch.cat([t.mask for t in texts]),
    )


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@dataclass(frozen=True)
class Request:
    """How to sample: one image embedding for each seed.

    guidance: 1 is the prior as it is, more pushes from the negative text towards the text.
    solver: "ancestral" as the priors were published; "ddim" for few steps, without noise; "mean"
    for the mean of all embeddings that fit the text, in one step whatever steps says.
    """

    seeds: tuple[int, ...]
    steps: int = 25
    guidance: float = 4.0
    solver: str = "ancestral"

    def __post_init__(self) -> None:
        seeds = self.seeds if isinstance(self.seeds, tuple | list) else ()
        if not seeds or not all(_whole(s) and 0 <= s < 2**64 for s in seeds):
            raise InputError(
                f"seeds are {self.seeds!r}; needed some whole numbers between 0 and 2^64 - 1"
            )
        if not (_whole(self.steps) and 2 <= self.steps <= 1000):
            raise InputError(
                f"steps is {self.steps!r}; it must be a whole number between 2 and 1000"
            )
        number = _whole(self.guidance) or isinstance(self.guidance, float)
        if not (number and math.isfinite(self.guidance) and self.guidance >= 0):
            raise InputError(f"guidance is {self.guidance!r}; it must be a number of at least 0")
        if self.solver not in SOLVERS:
            raise InputError(f"solver is {self.solver!r}; choose from {', '.join(SOLVERS)}")


SOLVERS = ("ancestral", "ddim", "mean")


@runtime_checkable
class Prior(Protocol):
    """Text in, image embedding out.

    space: whose image embeddings it gives. unit: whether they have length 1.
    """

    space: Space
    unit: bool

    def sample(
        self,
        text: PriorText,
        request: Request,
        negative: PriorText | None = None,
        tick: Tick = no_tick,
    ) -> ImageEmbedding:
        """One embedding for each seed; the text is one, or one for each seed.

        negative: what guidance moves away from, the encoding of "" where nothing is meant.
        Images of one request never influence each other. Raises InputError for what does not fit,
        and whatever tick raises.
        """
        ...


def negative_embedding(
    prior: Prior, negative: PriorText, request: Request, tick: Tick = no_tick
) -> ImageEmbedding:
    """What the picture is to be unlike: the prior's answer to the negative text, without guidance.

    Guidance from the negative text to itself is nothing, at any strength; so one row is enough.
    """
    return prior.sample(negative, replace(request, guidance=1.0), None, tick)


def check_text(text: PriorText, space: Space, tokens: int, source: str) -> None:
    """InputError unless the text is encoded as a prior of this space reads it."""
    if text.pooled.shape[-1] != space.width or text.tokens.shape[-1] != space.width:
        raise InputError(
            f"{source} needs text of the CLIP with {space}, but was given a sentence vector of "
            f"width {text.pooled.shape[-1]} and tokens of width {text.tokens.shape[-1]}; "
            f"encode the text with the text tower of {space.encoder}"
        )
    if text.tokens.shape[1] != tokens:
        raise InputError(
            f"{source} reads {tokens} tokens, but was given {text.tokens.shape[1]}; "
            f"pad or cut the text to {tokens}"
        )


def check_guidance(dropped: bool, guidance: float, told: bool, source: str) -> None:
    """InputError for guidance away from no text by a prior that never saw one.

    dropped: whether some texts were, while it was trained. told: whether there is a negative text.
    """
    if guidance != 1 and not dropped and not told:
        raise InputError(
            f"{source} was trained without dropping texts, so guidance {guidance:g} has nothing to "
            "move away from; set guidance to 1, or give a negative text"
        )


def check_finite(
    made: Tensor, source: str, guidance: float, text: PriorText, negative: PriorText | None
) -> None:
    """InputError unless all that a prior made are numbers; it names what is likely to blame."""
    if torch.isfinite(made).all():
        return
    for name, given in (("text", text), ("negative text", negative)):
        if given is not None and not _is_finite(given):
            raise InputError(
                f"the encoded {name} has numbers that are not finite; encode it again, in float32 "
                "if that was in half precision"
            )
    if guidance > 1:
        raise InputError(f"{source} overflowed at guidance {guidance:g}; lower it (4 is usual)")
    raise InputError(
        f"{source} gives numbers that are not finite; its file may be damaged: download it again"
    )


def _is_finite(text: PriorText) -> bool:
    """Of what is read: padding is not."""
    return bool(torch.isfinite(text.pooled).all() and torch.isfinite(text.shown).all())
