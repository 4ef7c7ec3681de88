"""Fusions without weights, by name."""

from collections.abc import Callable, Sequence

from ..types import ModalityEmbedding
from .average import average, norm_average
from .block import Fused
from .concat import concat, concat_rows

MODES: dict[str, Callable[[Sequence[ModalityEmbedding]], Fused]] = {
    "concat": concat,
    "concat_77": concat_rows,
    "average": average,
    "norm_average": norm_average,
}
