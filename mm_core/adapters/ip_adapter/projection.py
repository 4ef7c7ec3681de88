"""Features of pictures to image tokens, one projection for each family of adapters.

Modules have the names that their tensors have in files.
"""

from dataclasses import dataclass
from types import ModuleType

import torch
from torch import nn

from ...errors import InputError
from ...types import Float, Tensor, Tokens
from .keys import PROJECTION
from .layout import Layout, check_features
from .resampler import Reader


@dataclass(frozen=True)
class ImagePrompt:
    """What encoders say about b pictures: features, identity vectors, or both."""

    features: Float[Tensor, "b *n d"] | None = None
    identity: Float[Tensor, "b e"] | None = None


class LinearProjection(nn.Module):
    """One vector -> tokens. The base family, and XLabs."""

    def __init__(self, layout: Layout, ops: ModuleType):
        super().__init__()
        rows, given = layout.shape("image_proj.proj.weight", 2)
        self.proj = ops.Linear(given, rows)
        self.norm = ops.LayerNorm(layout.token_width)
        self.width = layout.token_width

    def forward(self, prompt: ImagePrompt) -> Tokens:
        assert prompt.features is not None
        return self.norm(self.proj(prompt.features).unflatten(-1, (-1, self.width)))


class TokenwiseProjection(nn.Module):
    """Each feature token -> one image token. The full-face family."""

    def __init__(self, layout: Layout, ops: ModuleType):
        super().__init__()
        hidden, given = layout.shape("image_proj.proj.0.weight", 2)
        out, _ = layout.shape("image_proj.proj.2.weight", 2)
        self.proj = nn.Sequential(
            ops.Linear(given, hidden), nn.GELU(), ops.Linear(hidden, out), ops.LayerNorm(out)
        )

    def forward(self, prompt: ImagePrompt) -> Tokens:
        assert prompt.features is not None
        return self.proj(prompt.features)


class ResampledProjection(Reader):
    """Feature tokens -> a fixed number of image tokens, by learned latents. The Plus family."""

    def __init__(self, layout: Layout, ops: ModuleType):
        super().__init__(layout, PROJECTION, ops)
        self.latents = nn.Parameter(torch.empty(layout.shape("image_proj.latents", 3)))

    def forward(self, prompt: ImagePrompt) -> Tokens:
        assert prompt.features is not None
        latents = self.latents.to(prompt.features).expand(len(prompt.features), -1, -1)
        return self.read(prompt.features, latents)


class VectorProjection(nn.Module):
    """One vector -> tokens, through a hidden layer. FaceID, Portrait and InstantX's for Flux."""

    def __init__(self, layout: Layout, ops: ModuleType):
        super().__init__()
        hidden, given = layout.shape("image_proj.proj.0.weight", 2)
        rows, _ = layout.shape("image_proj.proj.2.weight", 2)
        self.proj = nn.Sequential(ops.Linear(given, hidden), nn.GELU(), ops.Linear(hidden, rows))
        self.norm = ops.LayerNorm(layout.token_width)
        self.width = layout.token_width

    def forward(self, prompt: ImagePrompt) -> Tokens:
        vector = prompt.features if prompt.identity is None else prompt.identity
        assert vector is not None
        return self.norm(self.proj(vector).unflatten(-1, (-1, self.width)))


class FacePlusProjection(VectorProjection):
    """An identity's tokens, refined by reading the picture's feature tokens. FaceID-Plus.

    Version 2 (layout.shortcut) adds `structure` times the refined tokens to the identity's own.
    """

    def __init__(self, layout: Layout, ops: ModuleType):
        super().__init__(layout, ops)
        self.perceiver_resampler = Reader(layout, "image_proj.perceiver_resampler.", ops)
        self.shortcut = layout.shortcut

    def forward(self, prompt: ImagePrompt, structure: float = 1.0) -> Tokens:
        assert prompt.features is not None
        own = super().forward(ImagePrompt(identity=prompt.identity))
        refined = self.perceiver_resampler.read(prompt.features, own)
        return own + structure * refined if self.shortcut else refined


_PROJECTIONS = {
    "base": LinearProjection,
    "flux_xlabs": LinearProjection,
    "full": TokenwiseProjection,
    "plus": ResampledProjection,
    "faceid": VectorProjection,
    "portrait": VectorProjection,
    "flux_instantx": VectorProjection,
    "faceid_plus": FacePlusProjection,
}


def make_projection(layout: Layout, ops: ModuleType = nn) -> nn.Module:
    """The projection that the file's tensors fill; parameters are not set yet."""
    return _PROJECTIONS[layout.family](layout, ops)


def check_prompt(layout: Layout, prompt: ImagePrompt) -> None:
    """InputError unless the prompt holds what the adapter takes, in the widths it takes."""
    for need in layout.needs:
        given = prompt.identity if need.kind == "identity" else prompt.features
        if given is None:
            raise InputError(
                f"{layout.source} needs {need}, but was given none; connect "
                f"{'a face embedding' if need.kind == 'identity' else need.encoder}"
            )
        check_features(layout, need.kind, given.shape)


def null_prompt(
    layout: Layout, prompt: ImagePrompt, blank: Float[Tensor, "_ *n d"] | None = None
) -> ImagePrompt:
    """What stands for "no picture" beside this prompt, as the adapter was trained.

    It must still go through the projection, whose biases and norm make tokens of zeros that are
    not zero. blank: the features of the picture that layout.null names, for families where it is
    not zero_features; InputError without.
    """
    identity = None if prompt.identity is None else torch.zeros_like(prompt.identity)
    if prompt.features is None:
        return ImagePrompt(None, identity)
    if layout.null == "zero_features":
        return ImagePrompt(torch.zeros_like(prompt.features), identity)
    if blank is None:
        raise InputError(
            f"{layout.source} needs the features of "
            f"{layout.null.replace('_', ' ')} for its negative side, but was given none; "
            "encode them with the same encoder"
        )
    return ImagePrompt(blank.to(prompt.features).expand_as(prompt.features), identity)
