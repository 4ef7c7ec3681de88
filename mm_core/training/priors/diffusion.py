"""Fits a diffusion prior: noise is added to an embedding, and the clean one is to be told."""

import torch

from ...priors.prior import PriorText
from ...priors.transformer import PriorTransformer
from ...priors.unclip import Table
from ...types import Float, Tensor


def diffusion_loss(
    network: PriorTransformer,
    table: Table,
    text: PriorText,
    vectors: Float[Tensor, "b d"],
    rng: torch.Generator,
) -> Float[Tensor, ""]:
    """Mean squared error of the clean, normalised embedding, at timesteps drawn evenly.

    Source: Ramesh et al. 2022 (DALL-E 2), arXiv 2204.06125, equation 2.
    """
    clean = network.normalised(vectors)
    t = torch.randint(len(table.betas), (len(clean),), generator=rng)
    kept = table.kept[t][:, None]
    noise = torch.randn(clean.shape, generator=rng)
    told = network(kept.sqrt() * clean + (1 - kept).sqrt() * noise, t.float(), text)
    return (told - clean).square().mean()


def set_statistics(network: PriorTransformer, vectors: Float[Tensor, "n d"]) -> None:
    """Half of the way from raw to whitened: each number is divided by the root of its deviation.

    Whitened, numbers that nothing foretells would count as much as the style; raw, a few numbers
    would be all that counts. The mean square of all numbers becomes 1.
    """
    mean, deviation = vectors.mean(0, keepdim=True), vectors.std(0, keepdim=True).clamp(min=1e-6)
    network.clip_mean.copy_(mean)
    network.clip_std.copy_(deviation.sqrt() * deviation.mean().sqrt())


def start_weights(network: torch.nn.Module, seed: int) -> None:
    """Small random tables, as transformers start from; linear layers start as torch has them."""
    rng = torch.Generator().manual_seed(seed)
    for name, value in network.named_parameters():
        if value.ndim == 3 or name in ("code_embedding.weight", "dot_embedding.weight"):
            value.data.copy_(0.02 * torch.randn(value.shape, generator=rng))
