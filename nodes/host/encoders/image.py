"""Pictures as an embedding."""

import torch

from ....mm_core.errors import InputError
from ..prior.vectors import VectorOutput
from .chosen import needs, the_one
from .embedding import HostEmbedding, of_tokens, of_vectors, one_sample
from .pictures import colour
from .vision import NO_VECTOR, read_pictures
from .watch import in_parts

TOKENS, LAST, VECTOR = "tokens", "last tokens", "one vector"
READ = (TOKENS, LAST, VECTOR)
AT_ONCE = 8  # pictures that a vision model of the host's is given

FIELDS = {TOKENS: "penultimate_hidden_states", LAST: "last_hidden_state", VECTOR: "image_embeds"}


def encode_image(
    image=None,
    clip_vision=None,
    clip_vision_output=None,
    encoder=None,
    read: str = TOKENS,
    crop: bool = True,
    together: bool = False,
) -> HostEmbedding:
    """together: all pictures are one input, their tokens side by side; else each is a sample."""
    source = the_one(
        "image", clip_vision=clip_vision, encoder=encoder, clip_vision_output=clip_vision_output
    )
    if source == "clip_vision_output":
        made = of_output("image", clip_vision_output, read)
    else:
        pictures = colour(needs("image", image, "image", "a picture"))
        if source == "clip_vision":
            made = by_vision("image", clip_vision, pictures, read, crop)
        else:
            reads = encoder.of_kind("image")
            made = reads.embedded(pictures.movedim(-1, 1), vector=read == VECTOR)
    if together and made.said is not None:
        return HostEmbedding(one_sample(made.said), vector=made.vector)
    return made


def by_vision(name: str, vision, pictures, read: str, crop: bool = True) -> HostEmbedding:
    """Pictures (b, h, w, 3) through the host's vision model, a few at a time."""
    made = [
        of_output(name, read_pictures(vision, part, crop), read)
        for part in in_parts(pictures, AT_ONCE)
    ]
    vectors = [m.vector for m in made if m.vector is not None]
    tokens = of_tokens(name, torch.cat([m.needed().tokens for m in made]))
    return HostEmbedding(tokens, vector=torch.cat(vectors) if vectors else None)


def of_output(name: str, output, read: str) -> HostEmbedding:
    """CLIP_VISION_OUTPUT, which nodes other than the host's may have made with less in it."""
    if isinstance(output, VectorOutput) and read != VECTOR:
        raise InputError(
            f"clip_vision_output is one vector of a prior or a mix, and {read!r} reads a grid of "
            f"tokens: choose {VECTOR!r}"
        )
    vector = _given(output, VECTOR)
    wanted = _given(output, read)
    if wanted is None:
        raise InputError(_instead(output, read))
    if read == VECTOR:
        return HostEmbedding(of_vectors(name, wanted), vector=vector.float())
    return HostEmbedding(of_tokens(name, wanted), vector=None if vector is None else vector.float())


def _given(output, read: str):
    """What of it is read, where it is there in the form that is read: (b, d), or (b, n, d)."""
    found = getattr(output, FIELDS[read], None)
    dimensions = 2 if read == VECTOR else 3
    return found if isinstance(found, torch.Tensor) and found.ndim == dimensions else None


def _instead(output, read: str) -> str:
    """The sentence for what is not there to be read."""
    there = " or ".join(repr(r) for r in READ if _given(output, r) is not None)
    if read == VECTOR and there:
        return (
            f"the vision model gives {NO_VECTOR}: read {there}, or open the model's whole folder "
            "with Load Encoder and connect encoder"
        )
    if not there:
        return (
            f"the vision model gives nothing that can be read, neither {' nor '.join(READ)}: "
            "connect another"
        )
    return f"the vision model gives no {FIELDS[read]}, which {read!r} reads: choose {there}"
