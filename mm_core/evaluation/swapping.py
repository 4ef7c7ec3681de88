"""Swapped conditions: inputs of different scenes in one picture, so that nothing leaks."""

import random
from dataclasses import replace

import torch

from ..embedded.scenes.attributes import COLORS, SHIRT_COLORS
from ..embedded.scenes.captions import caption
from ..embedded.scenes.dataset import take
from ..types import Tensor
from .cases import Case

SEED = 77


def swapped_case(case: Case) -> Case:
    """Maps as they are; style and sound of other scenes; words with other colours.

    The truth becomes what the inputs now say together.
    """
    n = len(case)
    rng = torch.Generator().manual_seed(SEED)
    order = torch.roll(torch.arange(n), 8)  # past the group that shares a style
    content, style = case.truth.content, take(case.truth.style, order)
    sounds = torch.roll(torch.arange(n), 16)
    other = replace(
        content,
        color=_other(content.color, len(COLORS), rng),
        shirt=_other(content.shirt, len(SHIRT_COLORS), rng),
        note=content.note[sounds],
        timbre=content.timbre[sounds],
    )
    words = random.Random(SEED)
    return replace(
        case,
        prompts=[caption(other, style, i, words, full=True) for i in range(n)],
        style_picture=case.style_picture[order],
        wave=case.wave[sounds],
        truth=replace(case.truth, content=other, style=style),
    )


def _other(index: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """A different class for each, all others equally likely."""
    return (index + torch.randint(1, count, index.shape, generator=rng)) % count
