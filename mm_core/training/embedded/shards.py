"""Scenes on disk, in shards that are made once and read by every later stage."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import torch
from safetensors.torch import load_file

from ...embedded.scenes.content import Content
from ...embedded.scenes.dataset import Scenes, make_scenes
from ...embedded.scenes.style import Style
from ...embedded.vocabulary import tokenize
from ...types import Tensor
from ...weights.save import save_tensors

SHARD = 2048
Flat = dict[str, Tensor]


def flatten(scenes: Scenes) -> Flat:
    """One flat table: bulk inputs, tokens (n, captions, TOKENS), style.* and content.*."""
    flat = {
        name: getattr(scenes, name) for name in ("picture", "small", "depth", "skeleton", "segment")
    }
    flat["tokens"] = torch.tensor([[tokenize(c) for c in row] for row in scenes.captions]).byte()
    for prefix, record in (("style", scenes.style), ("content", scenes.content)):
        flat |= {f"{prefix}.{f.name}": getattr(record, f.name) for f in fields(record)}
    return {name: value.contiguous() for name, value in flat.items()}


def style_of(flat: Flat) -> Style:
    """The style.* columns as a Style."""
    return Style(**{f.name: flat[f"style.{f.name}"] for f in fields(Style)})


def content_of(flat: Flat) -> Content:
    """The content.* columns as a Content."""
    return Content(**{f.name: flat[f"content.{f.name}"] for f in fields(Content)})


def make_shards(
    folder: Path, count: int, seed: int, progress: Callable[[int], None] = lambda n: None
) -> list[Path]:
    """Makes the missing ones of ceil(count / SHARD) shards; shard k has seed `seed + k`."""
    paths = []
    for k in range(-(-count // SHARD)):
        paths.append(make_shard(folder, seed + k))
        progress(min(count, (k + 1) * SHARD))
    return paths


def make_shard(folder: Path, seed: int) -> Path:
    """One shard, made if it is not there yet."""
    path = folder / f"scenes-{seed}.safetensors"
    if not path.exists():
        save_tensors(flatten(make_scenes(SHARD, seed)), path)
    return path


def read_shards(paths: list[Path], skip: tuple[str, ...] = ()) -> Flat:
    """All shards as one table, without the columns named in skip."""
    parts = [{k: v for k, v in load_file(p).items() if k not in skip} for p in paths]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
