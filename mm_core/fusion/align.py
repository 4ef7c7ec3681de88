"""Inputs of different widths, brought to one and marked with what they are."""

from collections.abc import Mapping
from types import ModuleType

import torch
from torch import nn

from ..types import ModalityEmbedding
from .inputs import Parts


class Align(nn.Module):
    """One linear layer for each input of another width, and a learned mark on every token.

    Marks start at 0, so inputs that have the width already start as they are, bit for bit.
    Source of the marks: the segment embeddings of Devlin et al. 2018 (BERT), arXiv 1810.04805.
    """

    def __init__(self, widths: Mapping[str, int], width: int, ops: ModuleType = nn):
        super().__init__()
        self.project = nn.ModuleDict(
            {n: ops.Linear(w, width) for n, w in sorted(widths.items()) if w != width}
        )
        self.mark = nn.ParameterDict({n: torch.zeros(width) for n in sorted(widths)})

    def forward(self, parts: Parts) -> Parts:
        """Padding stays 0."""
        return {name: self.one(part) for name, part in parts.items()}

    def one(self, part: ModalityEmbedding) -> ModalityEmbedding:
        """A single input."""
        name, tokens = part.modality, part.tokens
        if name in self.project:
            tokens = self.project[name](tokens)
        tokens = tokens + self.mark[name].to(tokens)
        return ModalityEmbedding(name, tokens.masked_fill(~part.mask[..., None], 0), part.mask)
