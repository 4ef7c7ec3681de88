"""Several CLIP_VISION_OUTPUT of one space -> one, and what was done."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
import torch.nn.functional as F

from ....mm_core.errors import InputError
from ....mm_core.guidance.gain import numbers
from ....mm_core.priors import mix
from ....mm_core.priors.space import ImageEmbedding
from .text import read_text
from .vectors import VectorOutput, embedding_of

WEIGHTED = ("average", "sum")
LENGTHS_CHANGE = ("lerp", *WEIGHTED)
WORDS = "text difference"
MATCH = "match length"
HOW_MUCH = ("lerp", "slerp", "subtract", WORDS)


@dataclass(frozen=True)
class Said:
    """What a text difference leads to, and from where. clip, encoder: see read_text."""

    text: str = ""
    instead_of: str = ""
    clip: Any = None
    encoder: Any = None


def said_of(given: Mapping[str, Any]) -> Said:
    """InputError for an embedding beyond the last socket, which the host hands over too."""
    beyond = sorted(given.keys() - {f.name for f in fields(Said)})
    if beyond:
        raise InputError(
            f"this node has no input {beyond[0]}: mix the first embeddings in one node, and what "
            "comes out with the others in another"
        )
    return Said(**given)


@dataclass(frozen=True)
class Asked:
    """What the node says beside the embeddings. weights: one for each, or None."""

    amount: float
    weights: Sequence[float] | None
    said: Said


def mix_embeddings(
    given: Mapping[str, object] | None, mode: str, amount: float, weights: str, said: Said
) -> tuple[VectorOutput, str]:
    """Raises InputError for embeddings that the mode does not take, or that do not fit each
    other."""
    connected = {name: output for name, output in (given or {}).items() if output is not None}
    embeddings = [embedding_of(output, name) for name, output in connected.items()]
    if not embeddings:
        raise InputError("no embedding is connected: connect Diffusion Prior or CLIP Vision Encode")
    _check(embeddings, mode, weights)
    _check_said(mode, said)
    if mode == MATCH and embeddings[1].unit:
        raise InputError(
            f"{list(connected)[1]} has length 1, and {mode} is to give the length of an encoder: "
            "connect CLIP Vision Encode of a picture there"
        )
    several = numbers(weights, "weights", "embedding") if weights.strip() else None
    made = MODES[mode](embeddings, Asked(amount, several, said))
    return VectorOutput(made), _about(made, embeddings, mode, amount)


def _check(embeddings: Sequence[ImageEmbedding], mode: str, weights: str) -> None:
    if mode not in MODES:
        raise InputError(f"there is no mode {mode!r}; choose from {', '.join(MODES)}")
    if mode not in WEIGHTED:
        needed, count = (1, "one embedding") if mode == WORDS else (2, "two embeddings")
        if len(embeddings) != needed:
            found = f"{len(embeddings)} {'is' if len(embeddings) == 1 else 'are'} connected"
            raise InputError(f"{mode} is of {count}, and {found}: {_instead(mode, needed)}")
        if weights.strip():
            raise InputError(
                f"weights are for {' and '.join(WEIGHTED)}; the mode is {mode}: clear them, or "
                "choose one of these"
            )
    if mode == MATCH:
        return  # of a whole batch, to the mean of another
    most = max(embeddings, key=len)
    for other in embeddings:
        mix.check_alike(most, other)
    if most.unit and mode in LENGTHS_CHANGE:
        raise InputError(
            f"the embeddings have length 1, and {mode} gives lengths that no encoder has: put each "
            "through match length first, or choose slerp"
        )


def _instead(mode: str, needed: int) -> str:
    if mode == MATCH:
        return "connect two, of which the second is as long as the first is to be"
    return f"connect {needed}, or choose {' or '.join(WEIGHTED)}"


def _check_said(mode: str, said: Said) -> None:
    if mode == WORDS and not said.text.strip():
        raise InputError(
            f"{mode} turns the embedding towards a text, and there is none: say it in text, and in "
            "instead_of what the picture shows now"
        )
    if mode != WORDS and (said.text.strip() or said.instead_of.strip()):
        raise InputError(
            f"text and instead_of are for {WORDS}; the mode is {mode}: clear them, or choose it"
        )


def _between(run: Callable[[ImageEmbedding, ImageEmbedding, float], ImageEmbedding]):
    """The ends themselves at 0 and 1, to the last bit, rather than what is computed there."""

    def between(given: Sequence[ImageEmbedding], asked: Asked) -> ImageEmbedding:
        if asked.amount in (0.0, 1.0):
            return _end(given, int(asked.amount))
        return run(given[0], given[1], asked.amount)

    return between


def _subtract(given: Sequence[ImageEmbedding], asked: Asked) -> ImageEmbedding:
    if asked.amount == 0.0:
        return _end(given, 0)
    return mix.subtract(given[0], given[1], asked.amount)


def _sum(given: Sequence[ImageEmbedding], asked: Asked) -> ImageEmbedding:
    return mix.weighted_sum(given, asked.weights or [1.0] * len(given))


def _text_difference(given: Sequence[ImageEmbedding], asked: Asked) -> ImageEmbedding:
    if asked.amount == 0.0:
        return _end(given, 0)
    image, said = given[0], asked.said
    to, origin = (
        read_text(image.space, words, said.clip, said.encoder, who=f"{WORDS} of {image.space}")
        for words in (said.text, said.instead_of)
    )
    return mix.text_diff(image, to, origin, asked.amount)


def _end(given: Sequence[ImageEmbedding], which: int) -> ImageEmbedding:
    """One of the embeddings, for as many images as the longest has."""
    one = given[which]
    vectors = one.vectors.expand(max(map(len, given)), -1).clone()
    return ImageEmbedding(vectors, one.space, one.unit)


MODES: dict[str, Callable[[Sequence[ImageEmbedding], Asked], ImageEmbedding]] = {
    "lerp": _between(mix.lerp),
    "slerp": _between(mix.slerp),
    "average": lambda given, asked: mix.average(given, asked.weights),
    "sum": _sum,
    "subtract": _subtract,
    MATCH: lambda given, asked: mix.match_norm(given[0], given[1]),
    WORDS: _text_difference,
}


def _about(made: ImageEmbedding, given: Sequence[ImageEmbedding], mode: str, amount: float) -> str:
    how = f"{mode} {amount:g}" if mode in HOW_MUCH else mode
    near = ", ".join(
        f"{float(F.cosine_similarity(made.vectors, e.vectors.mean(0, keepdim=True)).mean()):.3f}"
        for e in given
    )
    length = float(torch.linalg.vector_norm(made.vectors, dim=1).mean())
    return (
        f"{how} of {len(given)}: {len(made)} x {made.space}, mean length {length:.4g}\n"
        f"cosine to each: {near}"
    )
