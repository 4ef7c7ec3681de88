"""Stage 1: the autoencoder. L1 + squared + gradient error, a little KL; linear path from PCA."""

import torch
import torch.nn.functional as F

from ...embedded.autoencoder import CHANNELS, FACTOR, Autoencoder
from ...types import Float, Int, Picture, Tensor


def principal_start(model: Autoencoder, pictures: Int[Tensor, "n 3 h w"]) -> None:
    """Sets the linear path to the leading principal components of 8 x 8 patches."""
    x = F.pixel_unshuffle(pictures.float() / 127.5 - 1, FACTOR)
    patches = x.permute(0, 2, 3, 1).flatten(0, 2)
    mean = patches.mean(0)
    basis = torch.linalg.svd((patches - mean)[::4], full_matrices=False)[2][:CHANNELS]
    spread = ((patches - mean) @ basis.T).std(0)
    forward, backward = basis / spread[:, None], basis.T * spread
    with torch.no_grad():
        model.linear_in.weight.copy_(forward[:, :, None, None])
        model.linear_in.bias.copy_(-(basis @ mean) / spread)
        model.linear_out.weight.copy_(backward[:, :, None, None])
        model.linear_out.bias.copy_(mean)


def loss(model: Autoencoder, picture: Picture, noise: torch.Generator) -> Tensor:
    """One batch's training loss."""
    mean, log_variance = model.posterior(picture)
    mean = mean.float()
    draw = torch.randn(mean.shape, generator=noise)
    error = model.reconstruct(mean + draw * (0.5 * log_variance).exp()) - picture
    divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).mean()
    rows, columns = error.diff(dim=-2).abs().mean(), error.diff(dim=-1).abs().mean()
    return error.abs().mean() + 2 * (error**2).mean() + rows + columns + 2e-4 * divergence


@torch.no_grad()
def whiten(model: Autoencoder, pictures: Int[Tensor, "n 3 h w"]) -> None:
    """Measures the latents' mean and spread, so that encode() gives about unit variance."""
    raw = torch.cat([model.posterior(p.float() / 255)[0].float() for p in pictures.split(64)])
    model.mean.copy_(raw.mean((0, 2, 3)))
    model.scale.copy_(raw.std((0, 2, 3)))


@torch.no_grad()
def psnr(model: Autoencoder, pictures: Int[Tensor, "n 3 h w"]) -> float:
    """Mean peak signal-to-noise ratio in dB of decode(encode(picture))."""
    values: list[Float[Tensor, " b"]] = []
    for p in pictures.split(64):
        x = p.float() / 255
        values.append(((model.decode(model.encode(x)) - x) ** 2).mean((1, 2, 3)))
    return float((-10 * torch.cat(values).log10()).mean())
