"""Scenes in bulk, with every input that the embedded model reads, as compact tensors."""

import random
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import torch
import torch.nn.functional as F

from ...types import Float, Int, Tensor
from .attributes import MAP_PIXELS
from .captions import caption
from .content import Content, sample_content
from .render import render
from .skeleton import draw_skeleton
from .style import Style, sample_style

GROUP = 4  # scenes that share a style; one serves as style picture of another
CAPTIONS = 4  # random captions for each scene, after the full one

Record = TypeVar("Record")


@dataclass(frozen=True)
class Scenes:
    """n scenes in bytes: pictures 128 px, maps 64 px. captions[i][0] names everything."""

    picture: Int[Tensor, "n 3 h w"]
    small: Int[Tensor, "n 3 i j"]
    depth: Int[Tensor, "n 1 i j"]
    skeleton: Int[Tensor, "n 3 i j"]
    segment: Int[Tensor, "n i j"]
    captions: list[list[str]]
    style: Style
    content: Content

    def __len__(self) -> int:
        return len(self.picture)


def make_scenes(count: int, seed: int, chunk: int = 32) -> Scenes:
    """count scenes from one seed; the same scenes whatever else runs. count: a multiple of GROUP.

    Chunks are small because a chunk that stays in the processor's cache renders ten times faster.
    """
    if count % GROUP or chunk % GROUP:
        raise ValueError(f"count {count} and chunk {chunk} must be multiples of {GROUP}")
    rng, words = torch.Generator().manual_seed(seed), random.Random(seed)
    return concatenate([_chunk(min(chunk, count - i), rng, words) for i in range(0, count, chunk)])


def style_partner(index: Int[Tensor, " n"], turn: int | Tensor = 1) -> Int[Tensor, " n"]:
    """Another scene of the same style: turn 1..GROUP-1 picks which."""
    return (index // GROUP) * GROUP + (index % GROUP + turn) % GROUP


def take(record: Record, index: Any) -> Record:
    """The chosen scenes of a Scenes, Style or Content."""

    def cut(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value[index]
        if isinstance(value, list):
            return [value[i] for i in torch.arange(len(value))[index].tolist()]
        return take(value, index)

    cls: Any = type(record)
    return cls(**{f.name: cut(getattr(record, f.name)) for f in fields(cls)})


def concatenate(records: list[Record]) -> Record:
    """Several Scenes, Style or Content as one."""

    def join(values: list[Any]) -> Any:
        if isinstance(values[0], Tensor):
            return torch.cat(values)
        if isinstance(values[0], list):
            return [x for v in values for x in v]
        return concatenate(values)

    cls: Any = type(records[0])
    return cls(**{f.name: join([getattr(r, f.name) for r in records]) for f in fields(cls)})


def _chunk(n: int, rng: torch.Generator, words: random.Random) -> Scenes:
    style = take(sample_style(rng, n // GROUP), torch.arange(n) // GROUP)
    # Within a group the texture is shifted: a style is not a layout.
    phase = torch.rand(n, generator=rng) * 2 * torch.pi
    style = Style(**{**vars(style), "phase": phase})
    content = sample_content(rng, n)
    picture, depth, segment = render(style, content)
    width = 0.006 + 0.02 * torch.rand(n, generator=rng)
    skeleton = draw_skeleton(content.joints, width) * content.has[:, 2, None, None, None]
    step = picture.shape[-1] // MAP_PIXELS
    return Scenes(
        picture=_bytes(picture),
        small=_bytes(F.avg_pool2d(picture, step)),
        depth=_bytes(F.avg_pool2d(depth, step)),
        skeleton=_bytes(skeleton),
        segment=segment[:, step // 2 :: step, step // 2 :: step].byte(),
        captions=[
            [caption(content, style, i, words, full=k == 0) for k in range(1 + CAPTIONS)]
            for i in range(n)
        ],
        style=style,
        content=content,
    )


def _bytes(x: Float[Tensor, "*any"]) -> Int[Tensor, "*any"]:
    return (x * 255).round().byte()
