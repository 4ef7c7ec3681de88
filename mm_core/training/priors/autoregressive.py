"""Fits an autoregressive prior: each code is to be told from the text and the codes before it."""

import torch
import torch.nn.functional as F

from ...priors.autoregressive import QUANTILES, CodeTransformer
from ...priors.codes import fit_codes
from ...priors.prior import PriorText
from ...types import Float, Int, Tensor


def cosines(text: PriorText, vectors: Float[Tensor, "b d"]) -> Float[Tensor, " b"]:
    """The inner product of sentence and image, both of length 1."""
    return F.cosine_similarity(text.pooled, vectors, dim=-1)


def autoregressive_loss(
    network: CodeTransformer,
    text: PriorText,
    vectors: Float[Tensor, "b d"],
    dots: Float[Tensor, " b"],
    soft: float,
) -> Float[Tensor, ""]:
    """Cross-entropy of all codes, in nats for each. dots: cosines() with the text as it was
    before any was dropped. soft: see soft_targets."""
    codes = network.coding().encode(vectors)
    logits = network(text, network.dot_numbers(dots), codes)
    wanted = soft_targets(codes, network.sizes.buckets, soft)
    return -(wanted * logits.log_softmax(-1)).sum(-1).mean()


def soft_targets(
    codes: Int[Tensor, "b k"], buckets: int, soft: float
) -> Float[Tensor, "b k buckets"]:
    """Each code's own bucket, spread over its neighbours by a Gaussian of `soft` buckets."""
    if soft <= 0:
        return F.one_hot(codes, buckets).float()
    away = torch.arange(buckets) - codes[..., None]
    return (-0.5 * (away / soft) ** 2).softmax(-1)


def set_coding(
    network: CodeTransformer, vectors: Float[Tensor, "n d"], dots: Float[Tensor, " n"]
) -> None:
    """Components, buckets and quantiles of dot products of the training data."""
    codes = fit_codes(vectors, network.sizes.codes, network.sizes.buckets)
    network.mean.copy_(codes.mean)
    network.basis.copy_(codes.basis)
    network.reach.copy_(codes.reach)
    network.dots.copy_(dots.quantile(torch.linspace(0, 1, QUANTILES)))


def start_tables(network: CodeTransformer) -> None:
    """Buckets that are near start alike: each is waves of its place."""
    width = network.sizes.width
    place = torch.linspace(0, 1, network.sizes.buckets)[:, None]
    angle = place * torch.pi * torch.exp2(torch.linspace(0, 6, width // 2))
    waves = torch.cat([angle.sin(), angle.cos()], 1)[:, :width]
    for table in (network.code_embedding, network.dot_embedding):
        table.weight.data.copy_(F.pad(waves, (0, width - waves.shape[1])) * width**-0.5)


def dropped(text: PriorText, empty: PriorText, rate: float, rng: torch.Generator) -> PriorText:
    """Some texts replaced by the empty one."""
    gone = torch.rand(len(text), generator=rng) < rate
    return PriorText(
        torch.where(gone[:, None], empty.pooled, text.pooled),
        torch.where(gone[:, None, None], empty.tokens, text.tokens),
        torch.where(gone[:, None], empty.mask, text.mask),
    )
