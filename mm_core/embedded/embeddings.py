"""A user's input as the embedding that fusion takes: tokens of the embedded model, and a mask."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F

from ..encoders.audio import log_mel
from ..encoders.pictures import square
from ..types import Float, Latent, ModalityEmbedding, Picture, Tensor, Tokens
from .autoencoder import Autoencoder
from .conditioners import AudioEncoder, StyleEncoder, TextEncoder
from .scenes.attributes import MAP_PIXELS
from .vocabulary import PAD, tokenize

PATCH = 2  # latent cells along a side of what becomes one token
PLACE = 32  # numbers that say where a token is


def text_embedding(encoder: TextEncoder, prompts: Sequence[str]) -> ModalityEmbedding:
    """START and the words are real."""
    numbers = torch.tensor([tokenize(p) for p in prompts], device=encoder.embedding.weight.device)
    return ModalityEmbedding("text", encoder(numbers), numbers != PAD)


def style_embedding(encoder: StyleEncoder, picture: Picture) -> ModalityEmbedding:
    """How a picture of any size looks; its central square is read."""
    return _all_real("style", encoder(square(picture, MAP_PIXELS)))


def audio_embedding(encoder: AudioEncoder, wave: Float[Tensor, "b t"]) -> ModalityEmbedding:
    """A mono wave at encoders.audio.SAMPLE_RATE."""
    return _all_real("audio", encoder(log_mel(wave)))


def picture_embedding(autoencoder: Autoencoder, picture: Picture) -> ModalityEmbedding:
    """What a picture shows, and where; its central square is read."""
    return _all_real("picture", latent_tokens(autoencoder.encode(square(picture, 2 * MAP_PIXELS))))


def latent_tokens(latent: Latent) -> Tokens:
    """A latent (b, c, h, w) cut into patches, row by row, each with its place in waves.

    h and w are multiples of PATCH. A token is PATCH * PATCH * c numbers and PLACE for the place.
    Source of both: Dosovitskiy et al. 2020 (ViT), arXiv 2010.11929, with fixed places.
    """
    patches = F.pixel_unshuffle(latent, PATCH)
    rows, columns = patches.shape[-2:]
    where = torch.cat([_waves(rows)[:, None].expand(-1, columns, -1),
                       _waves(columns)[None].expand(rows, -1, -1)], -1)  # fmt: skip
    tokens = patches.flatten(2).mT
    return torch.cat([tokens, where.flatten(0, 1).to(tokens).expand(len(tokens), -1, -1)], -1)


def _waves(count: int) -> Float[Tensor, "count waves"]:
    """Sines and cosines of the position between the ends, of 1/2 to 8 periods."""
    frequency = torch.exp(torch.linspace(0, math.log(16), PLACE // 4))
    angle = (torch.arange(count)[:, None] + 0.5) / count * math.pi * frequency
    return torch.cat([angle.sin(), angle.cos()], 1)


def _all_real(name: str, tokens: Tokens) -> ModalityEmbedding:
    return ModalityEmbedding(name, tokens, torch.ones(tokens.shape[:2], dtype=torch.bool,
                                                      device=tokens.device))  # fmt: skip
