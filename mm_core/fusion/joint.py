"""A joint embedding space: one unit vector for each input, near for inputs that belong together."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import nn

from ..types import Bool, Float, ModalityEmbedding, Tensor
from .agreement import agreement
from .align import Align
from .attention import start_at_zero
from .block import Fused, FusionBlock
from .config import FusionConfig, check_heads, check_whole
from .contrastive import START, contrastive_of_all
from .inputs import Parts, by_modality, joined_name, present
from .pooling import mean_token
from .resampler import Resampler


@dataclass(frozen=True)
class JointConfig(FusionConfig):
    """space: width of the joint space. latents: with which each input's tokens are read."""

    space: int = 128
    latents: int = 4
    layers: int = 1
    heads: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(space=self.space, latents=self.latents, layers=self.layers)
        check_heads(self.space, self.heads)


class JointSpace(FusionBlock):
    """z_i = unit(mean_i + h_i), mean_i the mean token and h_i what latents read in the input.

    h ends in a layer that starts at 0: in a new block z is the direction of the mean token, so
    inputs of a space that they share already, as CLIP's, start in that space. Fitted by `loss`.
    Source of the loss: Radford et al. 2021 (CLIP), arXiv 2103.00020; of one space for more than
    two inputs: Girdhar et al. 2023 (ImageBind), arXiv 2305.05665, but with all pairs.
    """

    config: JointConfig

    def __init__(self, config: JointConfig, ops: ModuleType = nn):
        super().__init__()
        self.config = config
        space = config.space
        self.align = Align(config.widths, space, ops)
        self.read = nn.ModuleDict(
            {n: Resampler(space, config.latents, config.layers, config.heads, ops)
             for n in config.names}
        )  # fmt: skip
        self.to_out = nn.ModuleDict(
            {n: ops.Linear(config.latents * space, space, bias=False) for n in config.names}
        )
        start_at_zero(*self.to_out.values())
        self.log_scale = nn.Parameter(torch.tensor(START))

    def forward(self, embeddings: Sequence[ModalityEmbedding]) -> Fused:
        """One token for each input, the base's first, and their agreement."""
        parts = by_modality(embeddings, self.config)
        vectors, there = self.vectors(parts)
        tokens, mask = torch.stack(list(vectors.values()), 1), torch.stack(list(there.values()), 1)
        name = joined_name(list(parts.values()))
        return Fused(ModalityEmbedding(name, tokens, mask), agreement=agreement(vectors, there))

    def vectors(
        self, parts: Parts
    ) -> tuple[dict[str, Float[Tensor, "b d"]], dict[str, Bool[Tensor, " b"]]]:
        """A unit vector for each input, 0 in samples that lack it, and which samples have it."""
        there = present(parts)
        out = {}
        for name, part in self.align(parts).items():
            read = self.to_out[name](self.read[name](part.tokens, part.mask).flatten(1))
            out[name] = F.normalize(mean_token(part) + read, dim=-1) * there[name][:, None]
        return out, there

    def loss(self, embeddings: Sequence[ModalityEmbedding]) -> Float[Tensor, ""]:
        """Contrastive loss over all pairs of inputs; sample k of each belongs together."""
        vectors, there = self.vectors(by_modality(embeddings, self.config))
        return contrastive_of_all(vectors, there, self.log_scale)
