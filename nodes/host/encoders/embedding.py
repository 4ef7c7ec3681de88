"""MMC_EMBEDDING: what an encoder says, between the nodes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from ....mm_core.errors import InputError
from ....mm_core.fusion.frames import frames_of
from ....mm_core.types import ModalityEmbedding
from ..patcher import home


@dataclass(frozen=True)
class HostEmbedding:
    """An embedding, and what of it a sampler takes beside tokens.

    said: tokens, or None where the encoder gives none; instead then says what to do. frames: in how
    many equal parts the tokens stand, one after another in time. vector: (b, d), as the encoder
    pools; pooled: (b, p), for pooled_output. options: what else CONDITIONING carries.
    """

    said: ModalityEmbedding | None
    frames: int = 1
    vector: torch.Tensor | None = None
    pooled: torch.Tensor | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    instead: str = ""

    def needed(self) -> ModalityEmbedding:
        """The tokens. Raises InputError where there are none."""
        if self.said is None:
            raise InputError(self.instead)
        return self.said

    def parts(self, in_time: bool) -> list[ModalityEmbedding]:
        """in_time: a video as its frames, for blocks that know of time."""
        said = self.needed()
        return frames_of(said, self.frames) if in_time and self.frames > 1 else [said]

    def renamed(self, name: str) -> "HostEmbedding":
        """Under another name of the input; the same where it is empty."""
        if not name.strip() or self.said is None:
            return self
        return replace(self, said=replace(self.said, modality=name.strip()))


def without_tokens(what: str) -> HostEmbedding:
    """Of a map, which says nothing but what it shows."""
    return HostEmbedding(
        None,
        instead=f"{what} gives a map and no tokens: connect its picture to Encode Image, and that "
        "to Fuse Embeddings",
    )


def of_entry(entry, name: str = "text") -> HostEmbedding:
    """One entry of CONDITIONING as an embedding."""
    tokens, options = entry
    said = of_tokens(name, tokens, options.get("attention_mask"))
    return HostEmbedding(said, pooled=options.get("pooled_output"), options=dict(options))


def of_tokens(name: str, tokens: torch.Tensor, mask=None) -> ModalityEmbedding:
    """Tokens (b, n, d), all of them real unless mask (b, n) says which are not."""
    tokens = tokens.to(home(), torch.float32)
    if not isinstance(mask, torch.Tensor) or mask.shape != tokens.shape[:2]:
        mask = torch.ones(tokens.shape[:2])
    return ModalityEmbedding(name, tokens, mask.to(tokens.device) > 0)


def of_vectors(name: str, vectors: torch.Tensor) -> ModalityEmbedding:
    """One vector for each sample (b, d), as one token."""
    return of_tokens(name, vectors[:, None])


def one_sample(said: ModalityEmbedding) -> ModalityEmbedding:
    """The tokens of all samples as those of one, in order."""
    return ModalityEmbedding(said.modality, said.tokens.flatten(0, 1)[None], said.mask.view(1, -1))
