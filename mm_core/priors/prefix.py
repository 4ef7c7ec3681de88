"""What a prior's network makes of its texts, once for all steps of a run.

Each token sees those before it, so what becomes of the text depends on no timestep and on no noise.
A prefix belongs to one run, never to the network, which other runs share.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..types import Bool, Int, Tensor
from .blocks import Past
from .prior import PriorText


class LayerPrefix(Past):
    """Keys and values of all texts in one line, the last place of it zeros; later tokens look at
    them and are forgotten. read: of each text by itself. places: of those that each row of a later
    call looks at."""

    def __init__(self, read: Sequence[Past], places: Int[Tensor, "b n"]):
        super().__init__()
        self.keys = _in_line([past.keys for past in read if past.keys is not None])
        self.values = _in_line([past.values for past in read if past.values is not None])
        self.places = places

    def extended(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        if self.keys is None or self.values is None:
            return keys, values
        before = (x[self.places].transpose(1, 2) for x in (self.keys, self.values))
        keys, values = (torch.cat(pair, 2) for pair in zip(before, (keys, values), strict=True))
        return keys, values


def _in_line(parts: list[Tensor]) -> Tensor:
    line = torch.cat([part[0].transpose(0, 1) for part in parts])
    return torch.cat([line, torch.zeros_like(line[:1])])


@dataclass(frozen=True)
class Prefix:
    """One LayerPrefix for each layer. real: which of their places are no mere filling."""

    layers: tuple[LayerPrefix, ...]
    real: Bool[Tensor, "b n"]

    @classmethod
    def of(
        cls, read: Sequence[Sequence[Past]], counts: Sequence[int], rows: Tensor, most: int
    ) -> "Prefix":
        """read: what each layer keeps of each text, of which there are counts tokens.

        rows: which of the texts each row of a later call goes on from. Each row is filled to most
        places, whatever the other texts are: how many a kernel sums decides how it rounds.
        """
        count = torch.tensor(counts, device=rows.device)[:, None]
        step = torch.arange(most, device=rows.device)
        real = step < count
        places = (count.cumsum(0) - count + step).where(real, sum(counts))[rows]
        layers = zip(*read, strict=True)
        return cls(tuple(LayerPrefix(layer, places) for layer in layers), real[rows])

    def __len__(self) -> int:
        return len(self.real)


def distinct(text: PriorText) -> tuple[list[PriorText], Int[Tensor, " b"]]:
    """Every text once, by itself; and which of these each of the texts is."""
    parts = (text.pooled, text.tokens, text.mask)
    left: list[PriorText] = []
    rows = torch.full((len(text),), -1)
    for k in range(len(text)):
        if rows[k] < 0:
            alike = torch.stack([(p == p[k]).flatten(1).all(1) for p in parts]).all(0).cpu()
            alike[k] = True  # also where a number is not one, and so unlike itself
            rows[alike] = len(left)
            left.append(PriorText(*(p[k : k + 1] for p in parts)))
    return left, rows.to(text.mask.device)
