"""Frames -> tokens and a vector: by VideoMAE, or by an encoder of pictures for each frame."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..errors import InputError
from ..types import Float, ModalityEmbedding, Tensor
from .encoder import Encoder, Encoding, Frames, Kind, Tick, no_tick
from .family import Family
from .folder import load_model, load_processor
from .forward import forward, prepared
from .images import check_pictures
from .pictures import to_image

TimeRows = Callable[[int, int], Float[Tensor, "f d"]]  # frames, width -> what is added to each


def sinusoids(count: int, width: int) -> Float[Tensor, "count width"]:
    """Sines and cosines of a frame's number, of wavelengths from 2 pi to 10000 * 2 pi frames.

    Source: Vaswani et al. 2017, arXiv 1706.03762, section 3.5; sines in the even columns.
    """
    exponents = torch.arange(0, width, 2, dtype=torch.float64) / width
    angles = torch.arange(count, dtype=torch.float64)[:, None] / 10_000**exponents
    both = torch.stack([angles.sin(), angles.cos()], -1)
    return both.flatten(1)[:, :width].float()


def timeless(count: int, width: int) -> Float[Tensor, "count width"]:
    """Nothing added: for what comes after and has time embeddings of its own."""
    return torch.zeros(count, width)


def evenly(found: int, wanted: int) -> list[int]:
    """Which of the frames found are seen where wanted are; the ends always, if there are two."""
    if wanted == 1:
        return [found // 2]
    return [round(i * (found - 1) / (wanted - 1)) for i in range(wanted)]


def per_second(found: int, rate: float) -> list[int]:
    """The frame on screen as each second begins."""
    return [int(second * rate + 1e-6) for second in range(math.ceil(found / rate - 1e-6))]


@dataclass(eq=False)
class VideoEncoder:
    """A network for videos: as many frames as it was trained on, evenly over the whole time.

    The vector is the mean of its tokens.
    """

    name: str
    family: str
    width: int | None
    module: nn.Module
    processor: Any
    count: int
    kind: Kind = "video"
    needs: str = "frames of one video"

    def __call__(self, given: Any, tick: Tick = no_tick) -> Encoding:
        """given: Frames, or pictures (f, 3, h, w), at least one; fewer than needed are repeated."""
        frames = frames_of(given, self.name)
        chosen = self.choose(len(frames.pictures), frames.rate)
        seen = [to_image(frames.pictures[i].cpu()) for i in chosen]
        inputs = prepared(self.processor, seen)
        tokens = forward(self.module, inputs).last_hidden_state.float()
        tick(1, 1)
        mask = torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
        return Encoding(ModalityEmbedding("video", tokens, mask), tokens.mean(1))

    def choose(self, found: int, rate: float) -> list[int]:
        """Which of the frames found are looked at."""
        return evenly(found, self.count)


@dataclass(eq=False)
class FrameEncoder:
    """An encoder of pictures, for the frame on screen as each second begins.

    time: added to every token of a frame, by its number; sinusoids unless told otherwise, such as
    by a table that was learned. The vector is the mean of the frames' own.
    """

    pictures: Encoder
    time: TimeRows = sinusoids
    kind: Kind = "video"
    needs: str = "frames of one video"

    def __post_init__(self) -> None:
        self.name, self.width = self.pictures.name, self.pictures.width
        self.family = f"{self.pictures.family}, frame by frame"
        self.module = self.pictures.module

    def __call__(self, given: Any, tick: Tick = no_tick) -> Encoding:
        """given: Frames, or pictures (f, 3, h, w), one for each second. A tick for each frame."""
        frames = frames_of(given, self.name)
        chosen = self.choose(len(frames.pictures), frames.rate)
        seen = self.pictures(frames.pictures[chosen], tick)
        if seen.embedding is None:
            raise InputError(f"{self.name} gives no tokens; choose another encoder of pictures")
        tokens = seen.embedding.tokens
        rows = self.time(len(chosen), tokens.shape[-1]).to(tokens)
        timed = (tokens + rows[:, None]).masked_fill(~seen.embedding.mask[..., None], 0)
        return Encoding(
            ModalityEmbedding(
                "video", timed.flatten(0, 1)[None], seen.embedding.mask.flatten()[None]
            ),
            None if seen.vector is None else seen.vector.mean(0, keepdim=True),
        )

    def choose(self, found: int, rate: float) -> list[int]:
        """Which of the frames found are looked at."""
        return per_second(found, rate)


def frames_of(given: Any, who: str) -> Frames:
    """Pictures alone are frames of one second each."""
    check_pictures(given.pictures if isinstance(given, Frames) else given, who)
    frames = given if isinstance(given, Frames) else Frames(given, 1.0)
    if not frames.rate > 0 or math.isinf(frames.rate):
        raise InputError(
            f"found {frames.rate:g} frames a second; needed a rate above 0, such as 24"
        )
    return frames


def _open(folder: Path, family: Family, dtype: torch.dtype) -> VideoEncoder:
    module = load_model(family.class_name, folder, dtype, family.since)
    processor = load_processor("picture", folder)
    config: Any = module.config
    return VideoEncoder(
        folder.name, family.name, config.hidden_size, module, processor, config.num_frames
    )


FAMILIES = (
    Family(
        name="VideoMAE",
        kind="video",
        model_types=("videomae",),
        class_name="VideoMAEModel",
        gives="a token for each patch of each two frames, 1568 for 16 frames; their mean as a "
        "vector",
        unit="last layer; vector not L2-normalised",
        good_for="movement and action",
        load=_open,
    ),
)
