"""The frames of a video as an embedding."""

from dataclasses import replace

import torch

from ....mm_core.encoders.video import FrameEncoder
from .chosen import the_one
from .embedding import HostEmbedding, one_sample
from .image import READ, VECTOR, by_vision
from .pictures import colour

READ_VIDEO = (VECTOR, *(r for r in READ if r != VECTOR))


def encode_video(
    frames, clip_vision=None, encoder=None, most: int = 0, read: str = VECTOR
) -> HostEmbedding:
    """One sample of all frames, in order. most: how many frames, spread evenly, are read; 0: all.

    By an encoder of videos, or frame by frame by one of pictures: then blocks that know of time
    hear them as frames.
    """
    source = the_one("video", clip_vision=clip_vision, encoder=encoder)
    pictures = colour(spread(frames, most), "frames")
    if source == "clip_vision":
        return _in_time(by_vision("video", clip_vision, pictures, read))
    reads = encoder.of_kind("video", "image")
    given = pictures.movedim(-1, 1)
    if isinstance(reads.encoder, FrameEncoder):  # a folder of pictures, loaded for video
        reads = replace(reads, encoder=reads.encoder.pictures)
    if reads.encoder.kind == "video":
        return reads.embedded(given)
    return _in_time(reads.embedded(given, vector=read == VECTOR).renamed("video"))


def spread(frames, most: int):
    """At most so many of the frames, the first and the last among them."""
    if most <= 0 or len(frames) <= most:
        return frames
    return frames[torch.linspace(0, len(frames) - 1, most).round().long()]


def _in_time(made: HostEmbedding) -> HostEmbedding:
    said = made.needed()
    vector = None if made.vector is None else made.vector.mean(0, keepdim=True)
    return HostEmbedding(one_sample(said), frames=len(said.tokens), vector=vector)
