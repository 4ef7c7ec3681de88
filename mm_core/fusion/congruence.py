"""Congruence gating: an input that disagrees with the others is turned down, and shown."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import torch
from torch import nn

from ..errors import InputError
from ..types import ModalityEmbedding
from .agreement import agreement, loudness
from .align import Align
from .block import Fused, FusionBlock
from .inputs import by_modality, side_by_side
from .joint import JointConfig, JointSpace


@dataclass(frozen=True)
class CongruenceConfig(JointConfig):
    """strength, expected: where these two learned numbers start; see agreement.loudness.

    trust_base: the base is heard in full, whatever the others say. Of two inputs that disagree
    nobody else can tell which is wrong.
    """

    strength: float = 0.0
    expected: float = 0.5
    trust_base: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("strength", "expected"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not math.isfinite(value):
                raise InputError(f"{name} is {value!r}; needed a finite number, such as 0.5")


class CongruenceGate(FusionBlock):
    """Inputs side by side, each times exp(-strength (expected - agreement)), at most 1.

    Agreement is the mean cosine with the others in a joint space, which `joint.loss` fits. With
    strength 0, where it starts, the block is plain concat (of inputs of one width). Ours; a scale
    on tokens acts on keys and values alike.
    """

    config: CongruenceConfig

    def __init__(self, config: CongruenceConfig, ops: ModuleType = nn):
        super().__init__()
        self.config = config
        self.joint = JointSpace(config, ops)
        self.align = Align(config.widths, config.width, ops)
        self.strength = nn.Parameter(torch.tensor(float(config.strength)))
        self.expected = nn.Parameter(torch.tensor(float(config.expected)))

    def forward(self, embeddings: Sequence[ModalityEmbedding]) -> Fused:
        """shares: what each input was multiplied by; agreement: why."""
        parts = by_modality(embeddings, self.config)
        vectors, there = self.joint.vectors(parts)
        agreed = agreement(vectors, there)
        shares = {
            n: there[n].to(a)
            if n == self.config.base and self.config.trust_base
            else loudness(a, self.strength.to(a), self.expected.to(a)) * there[n]
            for n, a in agreed.items()
        }
        quieter = [
            ModalityEmbedding(n, p.tokens * shares[n][:, None, None], p.mask)
            for n, p in self.align(parts).items()
        ]
        return Fused(side_by_side(quieter), shares, agreed)
