"""The embedded model's own priors: words alone to what its style input reads.

The image embedding is what the style encoder says of a picture, 16 tokens, along its principal
components. From an embedding the tokens come back, so that a prior can stand in for a picture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from ..errors import InputError, WeightsError
from ..priors.autoregressive import AutoregressivePrior
from ..priors.blocks import Block
from ..priors.diffusion import DiffusionPrior
from ..priors.load import described, rebuilt
from ..priors.prior import PriorText, Request
from ..priors.space import EMBEDDED, ImageEmbedding
from ..priors.transformer import HIDDEN
from ..types import Bool, Tensor, Tokens
from ..weights.header import Header
from ..weights.load import check_shapes, fill, named, read_weights
from ..weights.save import save_tensors
from .conditioners import WIDTH, StyleEncoder, TextEncoder
from .conditions import EncodedStream
from .vocabulary import PAD, tokenize
from .weights import FOLDER

KIND, VERSION = "embedded-prior", 1
SHIPPED = FOLDER / "prior.safetensors"
PRIORS = ("diffusion", "autoregressive")
HEADS = 4
_WHOLE = ("mean", "clip_mean", "clip_std", "reach", "dots")  # not stored in half precision


class StyleSpace(nn.Module):
    """The style encoder's tokens as vectors of principal components, and back."""

    mean: Tensor
    basis: Tensor

    def __init__(self) -> None:
        super().__init__()
        tokens = StyleEncoder.TOKENS * WIDTH
        self.register_buffer("mean", torch.zeros(tokens))
        self.register_buffer("basis", torch.zeros(tokens, EMBEDDED.width))

    def embed(self, tokens: Tokens) -> ImageEmbedding:
        """Tokens of the style encoder -> their image embedding."""
        return ImageEmbedding((tokens.flatten(1) - self.mean) @ self.basis, EMBEDDED)

    def tokens(self, embedding: ImageEmbedding) -> Tokens:
        """(b, 16, 128), for the style input of the embedded model."""
        flat = self.mean + embedding.vectors @ self.basis.T
        return flat.unflatten(1, (StyleEncoder.TOKENS, WIDTH))


class TextTower(nn.Module):
    """The embedded model's word tokens -> tokens and a sentence vector of the style space."""

    def __init__(self, layers: int = 1, ops: ModuleType = nn):
        super().__init__()
        self.layers = nn.ModuleList(Block(WIDTH, HEADS, ops) for _ in range(layers))
        self.norm = ops.LayerNorm(WIDTH)
        self.to_sentence = ops.Linear(WIDTH, EMBEDDED.width)

    def forward(self, tokens: Tokens, mask: Bool[Tensor, "b n"]) -> PriorText:
        """mask: True where a token is START or a word."""
        bias = (~mask).to(tokens)[:, None, None] * HIDDEN
        for layer in self.layers:
            tokens = layer(tokens, bias)
        tokens = self.norm(tokens)
        weight = mask.to(tokens)[..., None]
        mean = (tokens * weight).sum(1) / weight.sum(1)
        return PriorText(self.to_sentence(mean), tokens, mask)


@dataclass(frozen=True)
class EmbeddedPriors:
    """The two priors with the tower and the space that they share."""

    tower: TextTower
    space: StyleSpace
    priors: Mapping[str, DiffusionPrior | AutoregressivePrior]

    def encode(self, text: TextEncoder, prompts: Sequence[str]) -> PriorText:
        """Prompts as the priors read them. Raises WordError for unknown words."""
        return read_prompts(self.tower, text, prompts)


@torch.no_grad()
def read_prompts(tower: TextTower, text: TextEncoder, prompts: Sequence[str]) -> PriorText:
    """The same with a tower alone."""
    numbers = torch.tensor([tokenize(p) for p in prompts], device=text.embedding.weight.device)
    return tower(text(numbers), numbers != PAD)


def style_from_words(
    priors: EmbeddedPriors, text: TextEncoder, words: str, seeds: tuple[int, ...]
) -> EncodedStream:
    """What a picture in the style that the words tell would say to the style input.

    One for each seed. Raises WordError for unknown words, InputError for none.
    """
    if not words.strip():
        raise InputError('the style words are empty; say a style, such as "blue stripes"')
    said = priors.encode(text, [words])
    made = priors.priors["diffusion"].sample(said, Request(seeds, guidance=1.0))
    return EncodedStream("style", priors.space.tokens(made))


def sentence_as_image(text: PriorText, length: float) -> ImageEmbedding:
    """What there is without a prior: the sentence's direction, at an image embedding's length."""
    return ImageEmbedding(length * F.normalize(text.pooled, dim=-1), EMBEDDED)


def load_priors(path: Path = SHIPPED, ops: ModuleType = nn) -> tuple[EmbeddedPriors, Header]:
    """The priors in float32 on the CPU, ready to sample, and the file's header.

    Raises WeightsError for a file that does not hold them.
    """
    tensors, header = _read(path)
    try:
        layers = int(header.config["tower_layers"])
        configs = {name: header.config[name] for name in PRIORS}
    except (KeyError, TypeError, ValueError) as e:
        raise WeightsError(
            f"{named(path)} has no usable settings in its header ({e}); train the priors again"
        ) from e
    space = _space(tensors, path)
    words = _below(tensors, "tower.")
    check_shapes(TextTower(layers), {n: tuple(t.shape) for n, t in words.items()}, named(path))
    tower = TextTower(layers, ops)
    tower.load_state_dict(words)
    priors = {n: rebuilt(c, _below(tensors, f"{n}."), named(path), ops) for n, c in configs.items()}
    for name, prior in priors.items():
        prior.source = f"embedded: {name}"  # as users choose it
        prior.dropped = header.recipe.get("drop") != 0
    tower.eval().requires_grad_(False)
    return EmbeddedPriors(tower, space, priors), header


def load_space(path: Path = SHIPPED) -> StyleSpace:
    """The style space alone. Raises WeightsError for a file that does not hold it."""
    return _space(_read(path)[0], path)


def _read(path: Path) -> tuple[dict[str, Tensor], Header]:
    tensors, header = read_weights(path, KIND, VERSION)
    return {name: t.float() for name, t in tensors.items()}, header


def _space(tensors: Mapping[str, Tensor], path: Path) -> StyleSpace:
    space = StyleSpace()
    fill(space, _below(tensors, "space."), named(path))
    return space


def save_priors(
    given: EmbeddedPriors, path: Path, recipe: dict[str, Any], figures: dict[str, Any]
) -> None:
    """Writes tower, space and priors, in half precision where that is enough."""
    parts: dict[str, nn.Module] = {"tower": given.tower, "space": given.space}
    parts |= {name: prior.network for name, prior in given.priors.items()}
    tensors = {
        f"{part}.{name}": t.detach() if name in _WHOLE else t.detach().half()
        for part, module in parts.items()
        for name, t in module.state_dict().items()
    }
    config: dict[str, Any] = {n: described(p) for n, p in given.priors.items()}
    config["tower_layers"] = len(given.tower.layers)
    save_tensors(tensors, path, Header(KIND, VERSION, config, recipe, figures))


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
