"""Spaces of image embeddings, and who can read them."""

from dataclasses import dataclass

from ..errors import InputError
from ..types import Float, Tensor


@dataclass(frozen=True)
class Space:
    """name: of the encoder whose image embeddings fill the space. width: numbers in each."""

    name: str
    width: int

    def __str__(self) -> str:
        return f"{self.name}, width {self.width}"


CLIP_L = Space("OpenAI CLIP ViT-L/14", 768)
CLIP_H = Space("OpenCLIP ViT-H/14", 1024)
CLIP_BIGG = Space("OpenCLIP ViT-bigG/14", 1280)
EMBEDDED = Space("the embedded model's style", 128)
KNOWN = (CLIP_L, CLIP_H, CLIP_BIGG, EMBEDDED)


def space_of_width(width: int) -> Space:
    """The known space of this width; one of an unknown encoder otherwise."""
    return next((s for s in KNOWN if s.width == width), Space("an unknown encoder", width))


@dataclass(frozen=True)
class ImageEmbedding:
    """b image embeddings of one space.

    unit: all have length 1; otherwise they have the lengths that the encoder gives.
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
            f"choose {_choices(space)}, or a prior of {reader.space.name}"
        )


def _choices(space: Space) -> str:
    return " or ".join(r.name for r in readers_of(space)) or f"a model that reads {space.name}"
