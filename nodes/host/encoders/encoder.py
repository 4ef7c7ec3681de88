"""MMC_ENCODER: an encoder of ours under ComfyUI's memory management."""

from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from ....mm_core.encoders.encoder import Encoder, Encoding
from ....mm_core.errors import InputError
from ..patcher import home, managed, ready
from .embedding import HostEmbedding, of_tokens, of_vectors, without_tokens
from .watch import watcher

NODES = {
    "text": "Encode Text",
    "image": "Encode Image",
    "depth": "Encode Depth",
    "pose": "Encode Pose",
    "segmentation": "Encode Segmentation",
    "audio": "Encode Audio",
    "video": "Encode Video",
}
"""Where an encoder of each kind belongs."""

MAPS = ("depth", "control", "masks")


@dataclass(frozen=True)
class HostEncoder:
    """An encoder whose weights the host moves. about: what it is good for, in words."""

    encoder: Encoder
    patcher: Any
    about: str = ""

    def of_kind(self, *kinds: str) -> "HostEncoder":
        """Itself, or InputError where it reads something else."""
        if self.encoder.kind not in kinds:
            raise InputError(
                f"the encoder {self.encoder.name} ({self.encoder.family}) is one of "
                f"{self.encoder.kind}, and {NODES[kinds[0]]} needs one of {' or '.join(kinds)}: "
                f"connect it to {NODES[self.encoder.kind]}, or load another"
            )
        return self

    def __call__(self, given) -> Encoding:
        """What it says, on the device where results wait, with progress and cancel."""
        ready(self.patcher)
        made = self.encoder(given, watcher())
        moved = {n: x.to(home()) for n in MAPS if (x := getattr(made, n)) is not None}
        return replace(made, **moved)

    def embedded(self, given, vector: bool = False) -> HostEmbedding:
        """The embedding alone. vector: one token for each sample in place of many."""
        return embedding_of(self.encoder, self(given), vector)


def embedding_of(encoder: Encoder, made: Encoding, vector: bool = False) -> HostEmbedding:
    """What an encoder says, for Fuse Embeddings; without tokens, what to do about it."""
    one = None if made.vector is None else made.vector.to(home()).float()
    if vector and one is None:
        raise InputError(
            f"the encoder {encoder.name} ({encoder.family}) gives tokens and no vector: read tokens"
        )
    if made.embedding is not None and not vector:
        said = made.embedding
        return HostEmbedding(of_tokens(encoder.kind, said.tokens, said.mask), vector=one)
    if one is not None:
        return HostEmbedding(of_vectors(encoder.kind, one), vector=one)
    return without_tokens(f"the encoder {encoder.name} ({encoder.family})")


def host_encoder(
    encoder: Encoder, reload, arguments, about: str = "", disable_dynamic: bool = False
) -> HostEncoder:
    """reload(*arguments, disable_dynamic) makes its patcher anew."""
    return HostEncoder(
        encoder, managed(Held(encoder.module), reload, arguments, disable_dynamic), about
    )


class Held(nn.Module):
    """A module in one of our own: the host sets attributes, such as device, that some modules
    forbid to set."""

    def __init__(self, module: nn.Module):
        super().__init__()
        self.module = module
