"""Arithmetic with image embeddings of one space.

Lengths: slerp and the text difference turn a vector and keep, or blend, the lengths, since readers
were trained on the lengths that the encoder gives. Everything raises InputError for amounts that
are not finite, and where what comes out is not finite, or has length 0.
"""

import math
from collections.abc import Sequence

import torch

from ..errors import InputError
from ..numerics import sample_norm
from ..types import Float, Tensor
from .codes import principal
from .prior import PriorText
from .space import ImageEmbedding

NEARLY = 1e-4  # sine of an angle below which two directions count as one, or as opposite


def lerp(a: ImageEmbedding, b: ImageEmbedding, t: float) -> ImageEmbedding:
    """a at t = 0, b at t = 1, and straight on beyond."""
    check_alike(a, b)
    _check_amount(t)
    one, other = a.vectors.float(), b.vectors.float()
    return _of(a, torch.lerp(one, other, one.new_tensor(t)), a.unit and t in (0.0, 1.0))


def slerp(a: ImageEmbedding, b: ImageEmbedding, t: float) -> ImageEmbedding:
    """The same along the circle through both; the length goes from a's to b's in equal ratios.

    Source: Shoemake 1985, Animating rotation with quaternion curves. Raises InputError for
    opposite vectors, between which there is no one way, and for vectors of length 0.
    """
    check_alike(a, b)
    _check_amount(t)
    return _of(a, turned(a.vectors.float(), b.vectors.float(), t), a.unit and b.unit)


def average(
    embeddings: Sequence[ImageEmbedding], weights: Sequence[float] | None = None
) -> ImageEmbedding:
    """The weighted mean: weights are divided by their sum."""
    weights = _weights(embeddings, weights)
    total = sum(weights)
    if not math.isfinite(total):
        raise InputError(
            f"weights {weights} add up to more than a number holds; choose smaller ones"
        )
    if abs(total) <= 1e-6 * max(map(abs, weights)):
        raise InputError(f"weights {weights} add up to 0; choose others, or use subtract")
    return weighted_sum(embeddings, [w / total for w in weights])


def weighted_sum(embeddings: Sequence[ImageEmbedding], weights: Sequence[float]) -> ImageEmbedding:
    """The weights as they are, which is how Kandinsky's interpolation adds up."""
    weights = _weights(embeddings, weights)
    most = max(embeddings, key=len)
    for other in embeddings:
        check_alike(most, other)
    total = sum(w * e.vectors.float() for w, e in zip(weights, embeddings, strict=True))
    return _of(embeddings[0], torch.as_tensor(total), False)


def subtract(a: ImageEmbedding, b: ImageEmbedding, amount: float = 1.0) -> ImageEmbedding:
    """a without `amount` of what b has, as long as a was."""
    check_alike(a, b)
    _check_amount(amount)
    given = a.vectors.float()
    left = given - amount * b.vectors.float()
    nothing = "nothing is left: the embedding has length 0; choose a smaller amount"
    return _of(a, _lengthened(left, sample_norm(given), nothing), a.unit)


def text_diff(image: ImageEmbedding, to: PriorText, origin: PriorText, t: float) -> ImageEmbedding:
    """The image turned towards what `to` says and `origin` does not, as long as it was.

    t: share of the angle; .25 to .5 in the paper. Both texts in the image's own CLIP space, one or
    as many as images.
    Source: Ramesh et al. 2022 (DALL-E 2), arXiv 2204.06125, section 3.3.
    """
    for text in (to, origin):
        if text.pooled.shape[-1] != image.space.width:
            raise InputError(
                f"the texts are {text.pooled.shape[-1]} wide, the image embedding is of "
                f"{image.space}; encode the texts with the text tower of {image.space.encoder}"
            )
        if len(text) not in (1, len(image)):
            raise InputError(
                f"{len(text)} texts meet {len(image)} image embeddings; give one text, or as many"
            )
        if not torch.isfinite(text.pooled).all():
            raise InputError("a text has numbers that are not finite; encode it again")
    _check_amount(t)
    same = "the two texts say the same; give a text that differs from its origin"
    given = image.vectors.float()
    there = _lengthened((to.pooled - origin.pooled).float(), sample_norm(given), same)
    return _of(image, turned(given, there.expand_as(given), t), image.unit)


def component_walk(
    image: ImageEmbedding, others: ImageEmbedding, component: int, amount: float
) -> ImageEmbedding:
    """The image moved along a principal component of others, by standard deviations.

    component: 0 is the direction in which the others differ most; there are as many as numbers in
    an embedding.
    """
    check_space(image, others)
    if not 0 <= component < image.space.width:
        raise InputError(f"component is {component}; needed 0 to {image.space.width - 1}")
    _check_amount(amount)
    _, basis, variance = principal(others.vectors, component + 1)
    step = amount * variance[component].sqrt() * basis[:, component]
    return _of(image, image.vectors.float() + step, False)


def reduced(image: ImageEmbedding, others: ImageEmbedding, count: int) -> ImageEmbedding:
    """The image with only the first `count` components of others left; 0 is their mean.

    What comes back as more are kept is what the embedding holds.
    Source: Ramesh et al. 2022, section 4, figure 7.
    """
    check_space(image, others)
    if not 0 <= count <= image.space.width:
        raise InputError(f"count is {count}; needed 0 to {image.space.width} components")
    mean, basis, _ = principal(others.vectors, max(1, count))
    basis = basis[:, :count]
    off = image.vectors.float() - mean
    return ImageEmbedding(mean + off @ basis @ basis.T, image.space)  # a mean of 0 is one too


def match_norm(image: ImageEmbedding, length: float | ImageEmbedding) -> ImageEmbedding:
    """As long as given, or as embeddings of the same space are on average (root mean square).

    Source of need: LAION's prior gives vectors of length 1, other readers expect CLIP's lengths.
    """
    whose, unit = "the length to match", length == 1.0
    if isinstance(length, ImageEmbedding):
        check_space(image, length)
        whose, unit = "the mean length of the embeddings to match", length.unit
        length = float(length.vectors.double().square().sum(1).mean().sqrt())
    if not 0 < length < math.inf:
        raise InputError(f"{whose} is {length}; it must be a finite number above 0")
    nothing = "the embedding to be lengthened has length 0; leave it out"
    vectors = _lengthened(image.vectors.float(), torch.tensor([[float(length)]]), nothing)
    return _of(image, vectors, unit)


def check_space(a: ImageEmbedding, b: ImageEmbedding) -> None:
    """InputError, with both widths and names, unless both are of one space."""
    if a.space != b.space:
        raise InputError(
            f"one embedding is of {a.space}, the other of {b.space}; "
            "make both with the same encoder or prior"
        )


def check_alike(a: ImageEmbedding, b: ImageEmbedding) -> None:
    """The same, and that both are as many, or one of them is one, and of like lengths."""
    check_space(a, b)
    if len(a) != len(b) and 1 not in (len(a), len(b)):
        raise InputError(f"{len(a)} embeddings meet {len(b)}; needed as many of each, or one")
    if a.unit != b.unit:
        raise InputError(
            "one embedding has length 1, the other its encoder's; match the lengths first "
            "(match_norm; in ComfyUI Mix Image Embeddings, match length)"
        )


def turned(a: Float[Tensor, "b d"], b: Float[Tensor, "b d"], t: float) -> Float[Tensor, "b d"]:
    """a turned by a share t of the angle to b, its length going to b's in equal ratios."""
    a, b = torch.broadcast_tensors(a, b)
    one, other = sample_norm(a), sample_norm(b)
    if not ((one > 0) & (other > 0)).all():
        raise InputError("an embedding of length 0 has no direction; leave it out")
    a, b = a / one, b / other
    # Half of each is the sine and the cosine of half the angle; arccos is blind near its ends.
    apart, together = sample_norm(a - b), sample_norm(a + b)
    angle = 2 * torch.atan2(apart, together)
    sine = apart * together / 2
    if (together < NEARLY).any():
        raise InputError("two embeddings point opposite ways; there is no one way between them")
    safe = sine.clamp(min=NEARLY)
    way = torch.sin((1 - t) * angle) / safe * a + torch.sin(t * angle) / safe * b
    way = torch.where(sine < NEARLY, torch.lerp(a, b, a.new_tensor(t)), way)
    return way / sample_norm(way) * one * (other / one) ** t


def _lengthened(vectors: Tensor, length: Tensor, nothing: str) -> Tensor:
    """nothing: what is said of vectors of length 0."""
    have = sample_norm(vectors)
    if (have == 0).any():
        raise InputError(nothing)
    return vectors / have * length.to(vectors)


def _check_amount(amount: float) -> None:
    if not math.isfinite(amount):
        raise InputError(f"amount is {amount}; needed a finite number")


def _weights(embeddings: Sequence[ImageEmbedding], weights: Sequence[float] | None) -> list[float]:
    given = [1.0] * len(embeddings) if weights is None else list(weights)
    if not embeddings:
        raise InputError("there are no embeddings; give one or more")
    if len(given) != len(embeddings):
        raise InputError(
            f"{len(given)} weight{'s' * (len(given) != 1)} for {len(embeddings)} "
            f"embedding{'s' * (len(embeddings) != 1)}; give a weight for each embedding"
        )
    if not all(map(math.isfinite, given)):
        raise InputError(f"weights are {given}; needed finite numbers")
    return given


def _of(like: ImageEmbedding, vectors: Tensor, unit: bool) -> ImageEmbedding:
    length = sample_norm(vectors)
    if not torch.isfinite(length).all():
        raise InputError("the result is not finite; choose smaller amounts or weights")
    if (length == 0).any():
        raise InputError(
            "the result has length 0, nothing is left; choose other amounts or weights"
        )
    return ImageEmbedding(vectors, like.space, unit)
