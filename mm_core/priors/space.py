"""Spaces of image embeddings, and who can read them."""

from dataclasses import dataclass

import torch

from ..errors import InputError
from ..types import Float, Tensor

UNKNOWN = "an unknown encoder"


@dataclass(frozen=True)
class Space:
    """name: of the encoder whose image embeddings fill the space. width: numbers in each."""

    name: str
    width: int

    def __str__(self) -> str:
        return f"{self.name}, width {self.width}"

    @property
    def encoder(self) -> str:
        """Whose it is, for sentences that say what to choose."""
        return "the encoder that made it" if self.name == UNKNOWN else self.name


CLIP_L = Space("OpenAI CLIP ViT-L/14", 768)
CLIP_H = Space("OpenCLIP ViT-H/14", 1024)
CLIP_BIGG = Space("OpenCLIP ViT-bigG/14", 1280)
EMBEDDED = Space("the embedded model's style", 128)
PUBLISHED = (CLIP_L, CLIP_H, CLIP_BIGG)
KNOWN = (*PUBLISHED, EMBEDDED)


def space_of_width(width: int) -> Space:
    """The published space of this width; one of an unknown encoder otherwise.

    Never the embedded model's, whose encoder and priors say themselves what they give.
    """
    return next((s for s in PUBLISHED if s.width == width), Space(UNKNOWN, width))


@dataclass(frozen=True)
class ImageEmbedding:
    """b image embeddings of one space.

    unit: all have length 1; otherwise they have the lengths that the encoder gives. Raises
    InputError for another width than the space's, and for numbers that are not finite.
    """

    vectors: Float[Tensor, "b d"]
    space: Space
    unit: bool = False

    def __post_init__(self) -> None:
        if self.vectors.shape[-1] != self.space.width:
            raise InputError(
                f"the image embedding is {self.vectors.shape[-1]} wide; needed {self.space}: "
                "connect an embedding of that encoder"
            )
        if not torch.isfinite(self.vectors).all():
            raise InputError(
                f"the image embedding of {self.space} has numbers that are not finite; make it "
                "again"
            )

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True)
class Reader:
    """Something that takes an image embedding. space: None where it takes a grid of tokens."""

    name: str
    space: Space | None


READERS: tuple[Reader, ...] = (
    Reader("SD2.1-unCLIP-L", CLIP_L),
    Reader("Stable Cascade stage C", CLIP_L),
    Reader("XLabs Flux IP-Adapter", CLIP_L),
    Reader("SD2.1-unCLIP-H", CLIP_H),
    Reader("ip-adapter_sd15", CLIP_H),
    Reader("ip-adapter_sdxl_vit-h", CLIP_H),
    Reader("ip-adapter_sd15_vit-G", CLIP_BIGG),
    Reader("ip-adapter_sdxl", CLIP_BIGG),
    Reader("SDXL Revision", CLIP_BIGG),
    Reader("IP-Adapter plus and full", None),
    Reader("Redux and other style models", None),
    Reader("the embedded model's style input", EMBEDDED),
)
"""Sources: the published configurations of each; docs/priors.md has the table."""


def reader_named(name: str) -> Reader:
    """One of READERS. Raises InputError naming all."""
    for reader in READERS:
        if reader.name == name:
            return reader
    raise InputError(
        f"there is no reader {name!r}; choose from {', '.join(r.name for r in READERS)}"
    )


def readers_of(space: Space) -> tuple[Reader, ...]:
    """Everything that can be given an embedding of this space."""
    return tuple(r for r in READERS if r.space == space)


def check_fits(space: Space, reader: Reader) -> None:
    """InputError, with both widths and names, unless the reader takes embeddings of the space.

    Equal width is not enough: two encoders of one width agree about nothing.
    """
    if reader.space is None:
        raise InputError(
            f"{reader.name} reads a grid of an encoder's tokens, but a prior gives one vector "
            f"({space}); choose {_choices(space)}"
        )
    if reader.space != space:
        raise InputError(
            f"{reader.name} needs image embeddings of {reader.space}, but was given {space}; "
            f"choose {_choices(space)}, or {_source(reader.space)}"
        )


def _choices(space: Space) -> str:
    known = " or ".join(r.name for r in readers_of(space))
    return known or f"a model that was trained with {space.encoder}"


def _source(space: Space) -> str:
    if space.name == UNKNOWN:
        return "an embedding of the encoder that it was trained with"
    return f"a prior of {space.name}"
