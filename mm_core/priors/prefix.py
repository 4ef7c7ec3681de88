"""What a prior's network makes of its texts, once for all steps of a run.

Each token sees those before it, so what becomes of the text depends on no timestep and on no noise.
A prefix belongs to one run, never to the network, which other runs share.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ..types import Bool, Int, Tensor
from .blocks import Past
from .prior import PriorText


class LayerPrefix(Past):
    """Keeps the keys and values of its first call alone, in one line, row after row; later tokens
    look at them and are forgotten. places: of those that each row of a later call looks at."""

    def __init__(self, places: Int[Tensor, "b n"]):
        super().__init__()
        self.places = places

    def extended(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        if self.keys is None or self.values is None:
            self.keys, self.values = (x.transpose(1, 2).flatten(0, 1) for x in (keys, values))
            return keys, values
        before = (x[self.places].transpose(1, 2) for x in (self.keys, self.values))
        keys, values = (torch.cat(pair, 2) for pair in zip(before, (keys, values), strict=True))
        return keys, values


@dataclass(frozen=True)
class Prefix:
    """One LayerPrefix for each layer. real: which of their places are no mere filling."""

    layers: tuple[LayerPrefix, ...]
    real: Bool[Tensor, "b n"]

    @classmethod
    def empty(cls, layers: int, real: Bool[Tensor, "u m"], rows: Int[Tensor, " b"]) -> "Prefix":
        """Before the first call, which is to give the real tokens of all texts in one line.

        rows: which of those texts each row of a later call goes on from.
        """
        count = real.sum(1)
        step = torch.arange(int(count.max()), device=real.device)
        there = step < count[:, None]
        places = ((count.cumsum(0) - count)[:, None] + step).where(there, 0)[rows]
        return cls(tuple(LayerPrefix(places) for _ in range(layers)), there[rows])

    def __len__(self) -> int:
        return len(self.real)


def distinct(text: PriorText) -> tuple[PriorText, Int[Tensor, " b"]]:
    """Neighbours that are alike, as one; and which of the texts then left each text is."""
    parts = (text.pooled, text.tokens, text.mask)
    changed = torch.stack([(p[1:] != p[:-1]).flatten(1).any(1) for p in parts]).any(0)
    new = F.pad(changed, (1, 0), value=True)
    return PriorText(text.pooled[new], text.tokens[new], text.mask[new]), new.cumsum(0) - 1
