"""How many tokens a row may have so that ComfyUI runs it in one call with the others.

Its cross-attention conditions go into one call if repeating each to the least common multiple of
their lengths makes none more than four times as long. 77, 154, 231 and 308 go with 77; 78 does not.
"""

import math

import torch

from ..types import Bool, Int, ModalityEmbedding, Tensor

ROW = 77  # tokens of a CLIP prompt
MOST_REPEATS = 4


def share_a_call(a: int, b: int) -> bool:
    """Whether rows of a and b tokens go into one call."""
    return math.lcm(a, b) // min(a, b) <= MOST_REPEATS


def whole_rows(embedding: ModalityEmbedding, row: int = ROW) -> ModalityEmbedding:
    """The real tokens in order, repeated evenly to the next multiple of row tokens.

    A UNet hears every token of a row, so padding would be heard, and a token that stands there
    twice counts twice. Here each counts as often as any other, or once more, spread evenly, so
    that no input gains on another. A whole number of rows without padding is returned as it is.
    """
    length = max(1, math.ceil(int(embedding.mask.sum(1).max()) / row)) * row
    if embedding.mask.shape[1] == length and bool(embedding.mask.all()):
        return embedding
    index = even_copies(embedding.mask, length)
    tokens = embedding.tokens.gather(1, index[..., None].expand(-1, -1, embedding.tokens.shape[2]))
    there = embedding.mask.any(1, keepdim=True).expand(-1, length)
    return ModalityEmbedding(embedding.modality, tokens, there)


def even_copies(mask: Bool[Tensor, "b n"], length: int) -> Int[Tensor, "b length"]:
    """Which token stands at each of length places: the real ones in order, evenly repeated."""
    real_first = mask.to(torch.uint8).argsort(stable=True, dim=1, descending=True)
    count = mask.sum(1, keepdim=True)
    place = torch.arange(length, device=mask.device) * count // length
    return real_first.gather(1, place)
