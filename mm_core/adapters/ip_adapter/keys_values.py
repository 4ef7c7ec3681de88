"""Image tokens to the keys and values of every layer: once for a run, not once for a step."""

from collections.abc import Mapping
from types import ModuleType
from typing import NamedTuple

from torch import nn

from ...types import Float, Tensor, Tokens


class KV(NamedTuple):
    """One layer's keys and values of the image tokens, heads side by side."""

    k: Float[Tensor, "b n w"]
    v: Float[Tensor, "b n w"]


class ToKV(nn.Module):
    """Projections of one layer, under the names they have in files."""

    def __init__(self, context: int, width: int, bias: bool, ops: ModuleType):
        super().__init__()
        self.to_k_ip = ops.Linear(context, width, bias=bias)
        self.to_v_ip = ops.Linear(context, width, bias=bias)

    def forward(self, tokens: Tokens) -> KV:
        return KV(self.to_k_ip(tokens), self.to_v_ip(tokens))


class KeysValues(nn.ModuleDict):
    """The projections of all layers; widths: layer index -> width."""

    def __init__(
        self, context: int, widths: Mapping[int, int], bias: bool = False, ops: ModuleType = nn
    ):
        super().__init__({str(i): ToKV(context, w, bias, ops) for i, w in widths.items()})

    def forward(self, tokens: Tokens) -> dict[int, KV]:
        """Layer index -> its keys and values."""
        return {int(index): layer(tokens) for index, layer in self.items()}
