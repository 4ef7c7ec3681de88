"""Keys and values of image prompts, made before a run and moved to their device once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from ....mm_core.adapters.ip_adapter.keys_values import KV
from ....mm_core.adapters.ip_adapter.scaling import scale_kv


@dataclass
class Bank:
    """Keys and values of one image prompt, for every layer that hears it.

    present, absent: by layer index; absent only where something stands for no picture. scales: by
    layer index, what the layer multiplies by. bias: scores added for tokens of weighted pictures.
    turned: layers where rows hear the picture that elsewhere do not, and the other way round.
    """

    present: Mapping[int, KV]
    absent: Mapping[int, KV] | None
    scales: Mapping[int, float]
    scaling: str = "V only"
    bias: torch.Tensor | None = None
    turned: frozenset[int] = frozenset()
    _there: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    def heard(self, index: int, loud, present, like, images=None) -> tuple[KV, torch.Tensor]:
        """What the rows of a batch hear at one layer, and how loud: (b, 1, 1).

        loud, present: likewise. like: a tensor of the layer's, whose first axis is the batch.
        images: see rows.
        """
        kv, none = self.at(index, like)
        kv = KV(*(rows(part, like.shape[0], images) for part in kv))
        if index in self.turned:
            loud = 1 - present
        elif none is not None:
            share = present.to(like.dtype)
            away = (rows(part, like.shape[0], images) for part in none)
            kv = KV(*(n + share * (p - n) for p, n in zip(kv, away, strict=True)))
        kv, left = scale_kv(kv, self.scales[index], self.scaling)
        return kv, loud.to(like.dtype) * left

    def at(self, index: int, like: torch.Tensor) -> tuple[KV, KV | None]:
        """A layer's keys and values on the device and in the precision of its queries; moved once
        a run."""
        absent = self.absent
        return self._once(
            (like.device, like.dtype, index),
            lambda: (
                _moved(self.present[index], like),
                None if absent is None else _moved(absent[index], like),
            ),
        )

    def bias_at(self, like: torch.Tensor) -> torch.Tensor | None:
        """The scores of tokens, likewise."""
        bias = self.bias
        key = like.device, like.dtype, "bias"
        return None if bias is None else self._once(key, lambda: bias.to(like))

    def _once(self, key: tuple[Any, ...], made: Callable[[], Any]) -> Any:
        if key not in self._there:
            self._there[key] = made()
        return self._there[key]

    def forget(self) -> None:
        """Lets go of what was moved."""
        self._there.clear()


def rows(part, count: int, images: torch.Tensor | None = None):
    """One picture for all images, or one for each in every chunk of the batch.

    images: (count,), the image that each of the batch is; None: all of them in turn.
    """
    if part.shape[0] == 1:
        return part
    if images is not None:
        return part.index_select(0, images.to(part.device))
    return part.repeat(count // part.shape[0], *[1] * (part.ndim - 1))


def _moved(kv: KV, like) -> KV:
    return KV(*(part.to(like) for part in kv))
