"""Pictures <-> latents: 128 x 128 x 3 to 16 x 16 x 8, a factor of 8 each way.

A small residual network learns what a linear map of 8 x 8 patches leaves over; the linear path
starts as the principal components of the patches, so that the latent is meaningful from step 0.
Source of the block: the TAESD form (convolutions, ReLU, no normalisation).
"""

from types import ModuleType

import torch
import torch.nn.functional as F
from torch import nn

from ..types import Float, Latent, Picture, Tensor
from .blocks import start_weight

CHANNELS = 8
FACTOR = 8


class Block(nn.Module):
    """relu(x + conv(relu(conv(x)))). The second convolution's weight starts at zero."""

    def __init__(self, width: int, ops: ModuleType):
        super().__init__()
        self.first = ops.Conv2d(width, width, 3, padding=1)
        self.second = ops.Conv2d(width, width, 3, padding=1)
        start_weight(self.second, 0.0)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(F.relu(self.first(x))))


class Autoencoder(nn.Module):
    """encode() and decode() speak of pictures in 0..1 and latents of about unit variance.

    ops: the module that layers are built from; a host passes its own so that it can move them.
    """

    def __init__(self, width: int = 48, deep: int = 96, ops: ModuleType = nn):
        super().__init__()
        patch = 3 * FACTOR**2
        self.linear_in = ops.Conv2d(patch, CHANNELS, 1)
        self.linear_out = ops.Conv2d(CHANNELS, patch, 1)
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(4),
            ops.Conv2d(48, width, 3, padding=1),
            nn.ReLU(),
            Block(width, ops),
            ops.Conv2d(width, deep, 3, stride=2, padding=1),
            nn.ReLU(),
            Block(deep, ops),
            ops.Conv2d(deep, 2 * CHANNELS, 3, padding=1),
        )
        self.decoder = nn.Sequential(
            ops.Conv2d(CHANNELS, deep, 3, padding=1),
            nn.ReLU(),
            Block(deep, ops),
            Block(deep, ops),
            ops.Conv2d(deep, 4 * width, 1),
            nn.PixelShuffle(2),
            nn.ReLU(),
            Block(width, ops),
            Block(width, ops),
            Block(width, ops),
            ops.Conv2d(width, 48, 3, padding=1),
            nn.PixelShuffle(4),
        )
        for last in (self.encoder[-1], self.decoder[-2]):
            start_weight(last, 1e-3)
        self.register_buffer("mean", torch.zeros(CHANNELS))
        self.register_buffer("scale", torch.ones(CHANNELS))
        self.mean: Tensor
        self.scale: Tensor

    def posterior(self, picture: Picture) -> tuple[Latent, Latent]:
        """Mean and log variance of the latent before whitening."""
        x = picture * 2 - 1
        mean, log_variance = self.encoder(x).chunk(2, 1)
        mean = mean + self.linear_in(F.pixel_unshuffle(x, FACTOR))
        return mean, log_variance.float().clamp(-8, 2) - 4

    def reconstruct(self, raw: Latent) -> Float[Tensor, "b 3 h w"]:
        """A latent before whitening -> picture, not clamped."""
        linear = F.pixel_shuffle(self.linear_out(raw), FACTOR)
        return (self.decoder(raw) + linear).float() * 0.5 + 0.5

    def encode(self, picture: Picture) -> Latent:
        """(b, 3, 8h, 8w) in 0..1 -> (b, 8, h, w), whitened. Sides must be multiples of 8."""
        mean, _ = self.posterior(picture)
        return (mean - _channels(self.mean, mean)) / _channels(self.scale, mean)

    def preview_factors(self) -> Float[Tensor, "9 3"]:
        """RGB in -1..1 of each latent channel, and in the last row of none: the linear path.

        It is the mean over a patch of what that path paints, so it needs no fitting.
        """
        weight = self.linear_out.weight.detach().float().flatten(1)  # (192, 8)
        per_color = weight.unflatten(0, (3, FACTOR**2)).mean(1).T
        bias = self.linear_out.bias.detach().float().unflatten(0, (3, FACTOR**2)).mean(1)
        mean, scale = self.mean.float(), self.scale.float()
        return torch.cat([per_color * scale[:, None], (bias + mean @ per_color)[None]])

    def decode(self, latent: Latent) -> Picture:
        """(b, 8, h, w) -> (b, 3, 8h, 8w) in 0..1."""
        raw = latent * _channels(self.scale, latent) + _channels(self.mean, latent)
        return self.reconstruct(raw).clamp(0, 1)


def _channels(vector: Tensor, like: Tensor) -> Tensor:
    return vector.to(like)[None, :, None, None]
