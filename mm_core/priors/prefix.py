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
    """Keeps the keys and values of its first call alone; later tokens look at them and are
    forgotten. rows: which of the first call's rows each row of a later one goes on from."""

    def __init__(self, rows: Int[Tensor, " b"]):
        super().__init__()
        self.rows = rows

    def extended(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        if self.keys is None or self.values is None:
            return super().extended(keys, values)
        return (
            torch.cat([self.keys[self.rows], keys], 2),
            torch.cat([self.values[self.rows], values], 2),
        )


@dataclass(frozen=True)
class Prefix:
    """One LayerPrefix for each layer. real: which of the kept tokens each row of a step sees."""

    layers: tuple[LayerPrefix, ...]
    real: Bool[Tensor, "b n"]

    @classmethod
    def empty(cls, layers: int, rows: Int[Tensor, " b"], real: Bool[Tensor, "u n"]) -> "Prefix":
        """Before the first call, which fills it. real: of that call's rows."""
        return cls(tuple(LayerPrefix(rows) for _ in range(layers)), real[rows])

    def __len__(self) -> int:
        return len(self.real)

    @property
    def tokens(self) -> int:
        """How many are kept."""
        return self.real.shape[1]


def distinct(text: PriorText) -> tuple[PriorText, Int[Tensor, " b"]]:
    """Neighbours that are alike, as one; and which of the texts then left each text is."""
    parts = (text.pooled, text.tokens, text.mask)
    changed = torch.stack([(p[1:] != p[:-1]).flatten(1).any(1) for p in parts]).any(0)
    new = F.pad(changed, (1, 0), value=True)
    return PriorText(text.pooled[new], text.tokens[new], text.mask[new]), new.cumsum(0) - 1
