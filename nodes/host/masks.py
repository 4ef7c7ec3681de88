"""Attention masks of tokens that stand side by side.

Two forms reach the network: (b, n), which tokens are real; and, of Redux, (b, n + g, n + g), what
is added to the logits of attention between the text's n tokens and a grid of g that stands for the
picture's, stretched to it later.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ...mm_core.errors import InputError

MASK, GRID = "attention_mask", "attention_mask_img_shape"


def joined_masks(tokens: Sequence[torch.Tensor], options: Sequence[Mapping[str, Any]]):
    """Options with the mask of all tokens side by side; none where no part has one.

    In the second form the tokens of one part see those of another as the picture sees them, so that
    a strength which is set there holds for whoever is beside it.
    """
    masks = [o.get(MASK) for o in options]
    found = [mask for mask in masks if isinstance(mask, torch.Tensor)]
    if not found:
        return {}
    if all(mask.ndim == 2 for mask in found):
        rows = [_real(t) if m is None else m for t, m in zip(tokens, masks, strict=True)]
        return {MASK: torch.cat([m.to(found[0]) for m in as_long(rows)], -1)}
    grids = list(dict.fromkeys(tuple(o[GRID]) for o in options if o.get(GRID) is not None))
    if len(grids) > 1:
        raise InputError(
            f"two inputs carry attention masks for pictures of {grids[0]} and {grids[1]} tokens; "
            "leave the mask on one of them"
        )
    grid = grids[0] if grids else (1, 1)
    cells = math.prod(grid)
    blocks = [_bias(m, t, cells) for t, m in zip(tokens, masks, strict=True)]
    return {MASK: _joined(as_long(blocks), cells), GRID: grid}


def mask_of_added(mask: torch.Tensor, before: int) -> torch.Tensor:
    """Of a mask, what is about tokens that stand behind the first `before` ones."""
    if mask.ndim == 2:
        return mask[:, before:]
    return mask[:, before:, before:]


def as_long(tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Tensors of (b, ...) as long as each other: those for fewer pictures begin again, as the host
    has them begin again for a batch."""
    length = math.lcm(*(len(t) for t in tensors))
    return [
        t if len(t) == length else t.repeat(length // len(t), *[1] * (t.ndim - 1)) for t in tensors
    ]


def _real(tokens: torch.Tensor) -> torch.Tensor:
    return torch.ones(tokens.shape[:2], device=tokens.device)


def _bias(mask, tokens: torch.Tensor, cells: int) -> torch.Tensor:
    """(b, n + g, n + g): what is added to the logits."""
    size = tokens.shape[1] + cells
    if mask is None:
        return torch.zeros(tokens.shape[0], size, size, dtype=torch.float16, device=tokens.device)
    if mask.ndim == 2:
        keys = torch.log(mask.to(torch.float16))
        bias = torch.zeros(len(mask), size, size, dtype=torch.float16, device=mask.device)
        bias[:, :, : tokens.shape[1]] = keys[:, None]
        return bias
    return torch.log(mask.to(torch.float16)) if mask.dtype == torch.bool else mask


def _joined(blocks: Sequence[torch.Tensor], cells: int) -> torch.Tensor:
    lengths = [block.shape[1] - cells for block in blocks]
    total, like = sum(lengths), blocks[0]
    out = torch.zeros(len(like), total + cells, total + cells, dtype=like.dtype, device=like.device)
    start = 0
    for block, n in zip(blocks, lengths, strict=True):
        block = block.to(out)
        here = slice(start, start + n)
        out[:, :, here] = _alike(block[:, n:, :n])
        out[:, here, here] = block[:, :n, :n]
        out[:, total:, here] = block[:, n:, :n]
        out[:, here, total:] = block[:, :n, n:]
        out[:, total:, total:] += block[:, n:, n:]
        start += n
    return out


def _alike(heard: torch.Tensor) -> torch.Tensor:
    """What all of the picture's tokens have in common, (b, 1, n): their own, or the mean."""
    first = heard[:, :1]
    return first if torch.equal(heard, first.expand_as(heard)) else heard.float().mean(1, True)
