"""Inputs side by side: what a cross-attention then hears is all of them, in one softmax."""

from collections.abc import Sequence
from types import ModuleType

from torch import nn

from ..types import ModalityEmbedding
from .align import Align
from .block import Fused, FusionBlock
from .config import FusionConfig
from .inputs import by_modality, side_by_side, together
from .lengths import whole_rows


def concat(embeddings: Sequence[ModalityEmbedding]) -> Fused:
    """The tokens of all inputs, in the order given. One input comes out bit for bit."""
    return Fused(side_by_side(together(embeddings)))


def concat_rows(embeddings: Sequence[ModalityEmbedding]) -> Fused:
    """The same in whole rows of 77 tokens, so that rows that see different inputs share a call in
    ComfyUI; see lengths.py for what that costs. At most 308 tokens go with a prompt of 77."""
    return Fused(whole_rows(concat(embeddings).embedding))


class TypedConcat(FusionBlock):
    """Tokens side by side, the base first, each with a learned mark of its modality.

    A new block is plain concat, where the widths are equal.
    Source: the segment embeddings of Devlin et al. 2018 (BERT), arXiv 1810.04805.
    """

    def __init__(self, config: FusionConfig, ops: ModuleType = nn):
        super().__init__()
        self.config = config
        self.align = Align(config.widths, config.width, ops)

    def forward(self, embeddings: Sequence[ModalityEmbedding]) -> Fused:
        parts = self.align(by_modality(embeddings, self.config))
        return Fused(side_by_side(list(parts.values())))
