"""Keeps the rows of one run equal in shape, so that they share one network call."""

import math

import torch

from ..errors import InputError
from ..types import NullTokens, Tensor, Tokens

MOST_ALIKE = 6  # inputs of one kind: 60 copies; with 7 it would be 420


def blend(null: NullTokens, tokens: Tokens, strength: float) -> Tokens:
    """From absent (0) to present (1) along a straight line; 1 is the tokens, bit for bit."""
    if strength == 1:
        return tokens
    return null + strength * (tokens - null)


def repeated(parts: list[Tensor], of: int) -> Tokens:
    """parts (b, n, d) side by side, repeated to a length that does not depend on how many.

    A row that sees k of `of` inputs gets lcm(1..of) / k copies of each. Attention averages over
    what it hears, so copies change nothing but the length.
    """
    if of > MOST_ALIKE:
        raise InputError(
            f"there are {of} inputs of one kind; at most {MOST_ALIKE} fit: leave some out"
        )
    total = math.lcm(*range(1, of + 1))
    batch = max(len(p) for p in parts)
    wide = [to_batch(p, batch, "tokens") for p in parts]
    return torch.cat(wide * (total // len(parts)), 1)


def to_batch(x: Tensor, batch: int, name: str) -> Tensor:
    """One sample repeated to the batch, or as many as the batch has; anything else is refused."""
    if len(x) == batch:
        return x
    if len(x) != 1:
        raise InputError(
            f"{name} has a batch of {len(x)} where {batch} pictures are made; "
            f"give one input, or {batch}"
        )
    return x.expand(batch, *x.shape[1:])
