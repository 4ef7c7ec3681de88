"""Words as an embedding."""

from typing import Any

from ....mm_core.errors import InputError
from .chosen import the_one
from .embedding import HostEmbedding, of_entry


def encode_text(words: str, clip=None, encoder=None) -> HostEmbedding:
    """By the host's CLIP, with all that its CONDITIONING carries, or by an encoder of ours."""
    if the_one("text", clip=clip, encoder=encoder) == "clip":
        return by_clip(words, clip)
    return encoder.of_kind("text").embedded([words])


def by_clip(words: str, clip: Any) -> HostEmbedding:
    entries = clip.encode_from_tokens_scheduled(clip.tokenize(words))
    if len(entries) != 1:
        raise InputError(
            f"this clip makes {len(entries)} prompts in turn over sampling; connect one without "
            "scheduled hooks, or CLIP Text Encode to the conditioning of Fuse Embeddings"
        )
    return of_entry(entries[0])
