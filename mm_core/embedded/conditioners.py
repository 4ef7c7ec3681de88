"""What each input becomes before the denoiser sees it: tokens, or maps that are added."""

from types import ModuleType

import torch
import torch.nn.functional as F
from torch import nn

from ..types import Float, Int, Picture, Tensor, Tokens
from .blocks import SelfAttention, start_weight

WIDTH = 128  # of every token


class TextEncoder(nn.Module):
    """Token numbers -> tokens. The first token, START, serves as the sentence vector."""

    def __init__(self, words: int, length: int, layers: int = 2, ops: ModuleType = nn):
        super().__init__()
        self.embedding = ops.Embedding(words, WIDTH)
        self.position = ops.Embedding(length, WIDTH)
        self.layers = nn.ModuleList(_TokenLayer(ops) for _ in range(layers))
        self.norm = ops.LayerNorm(WIDTH)
        start_weight(self.embedding, 0.5)
        start_weight(self.position, 0.2)

    def forward(self, tokens: Int[Tensor, "b n"]) -> Tokens:
        place = torch.arange(tokens.shape[1], device=tokens.device)
        x = self.embedding(tokens) + self.position(place)
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


class _TokenLayer(nn.Module):
    """Self-attention and feed-forward over a few tokens, each added to its input."""

    def __init__(self, ops: ModuleType):
        super().__init__()
        self.norm1, self.attention = ops.LayerNorm(WIDTH), SelfAttention(WIDTH, 4, ops)
        self.norm2 = ops.LayerNorm(WIDTH)
        self.feed = nn.Sequential(
            ops.Linear(WIDTH, 2 * WIDTH), nn.GELU(), ops.Linear(2 * WIDTH, WIDTH)
        )

    def forward(self, x: Tokens) -> Tokens:
        x = x + self.attention(self.norm1(x))
        return x + self.feed(self.norm2(x))


class StyleEncoder(nn.Module):
    """A 64 x 64 picture -> 16 tokens.

    Each patch by itself cannot tell a ring from a wave; the layer over all tokens can.
    """

    TOKENS = 16

    def __init__(self, ops: ModuleType = nn):
        super().__init__()
        self.body = nn.Sequential(
            nn.PixelUnshuffle(4),
            ops.Conv2d(48, 64, 3, padding=1),
            nn.SiLU(),
            ops.Conv2d(64, 96, 3, stride=2, padding=1),
            nn.SiLU(),
            ops.Conv2d(96, WIDTH, 3, stride=2, padding=1),
        )
        self.place = nn.Parameter(torch.zeros(1, self.TOKENS, WIDTH))
        self.layer = _TokenLayer(ops)
        self.norm = ops.LayerNorm(WIDTH)

    def forward(self, picture: Picture) -> Tokens:
        x = self.body(picture * 2 - 1).flatten(2).transpose(1, 2)
        return self.norm(self.layer(x + self.place.to(x)))


class AudioEncoder(nn.Module):
    """A log-mel spectrogram of any length -> 8 tokens. Pitch is a channel, so it stays absolute."""

    TOKENS = 8

    def __init__(self, bands: int, ops: ModuleType = nn):
        super().__init__()
        self.first = ops.Conv1d(bands, 96, 3, stride=2, padding=1)
        self.second = ops.Conv1d(96, WIDTH, 3, stride=2, padding=1)
        self.norm = ops.LayerNorm(WIDTH)

    def forward(self, mel: Float[Tensor, "b bands t"]) -> Tokens:
        x = self.second(F.silu(self.first(mel)))
        return self.norm(F.adaptive_avg_pool1d(x, self.TOKENS).transpose(1, 2))


class SpatialAdapter(nn.Module):
    """A 64 x 64 map -> what is added to the denoiser at 16 x 16 and at 8 x 8.

    Source of the form: Mou et al. 2023 (T2I-Adapter), arXiv 2302.08453.
    """

    def __init__(self, channels: int, fine: int, coarse: int, ops: ModuleType = nn):
        super().__init__()
        width, deep = 40, 80
        self.body = nn.Sequential(
            nn.PixelUnshuffle(4),
            ops.Conv2d(16 * channels, width, 3, padding=1),
            nn.SiLU(),
            ops.Conv2d(width, width, 3, padding=1),
            nn.SiLU(),
        )
        self.deeper = nn.Sequential(
            ops.Conv2d(width, deep, 3, stride=2, padding=1),
            nn.SiLU(),
            ops.Conv2d(deep, deep, 3, padding=1),
            nn.SiLU(),
        )
        self.to_fine, self.to_coarse = ops.Conv2d(width, fine, 1), ops.Conv2d(deep, coarse, 1)

    def forward(self, map_: Float[Tensor, "b k 64 64"]) -> tuple[Tensor, Tensor]:
        """map_ in 0..1."""
        h = self.body(map_ * 2 - 1)
        return self.to_fine(h), self.to_coarse(self.deeper(h))
