"""What every fusion block is: embeddings in, one embedding and what was measured out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import nn

from ..types import Float, ModalityEmbedding, Tensor, Tokens
from .config import FusionConfig
from .inputs import Parts, joined_name


@dataclass(frozen=True)
class Fused:
    """One conditioning made of several inputs.

    shares: how much of each input was heard, 0 to 1, in each sample; empty where a block does not
    weigh its inputs. agreement: how well each input agrees with the others, a cosine; empty where
    a block does not measure it.
    """

    embedding: ModalityEmbedding
    shares: Mapping[str, Float[Tensor, " b"]] = field(default_factory=dict)
    agreement: Mapping[str, Float[Tensor, " b"]] = field(default_factory=dict)


class FusionBlock(nn.Module):
    """A fusion with weights. Takes any subset of its inputs, in any order.

    Padding is never heard. An input that is not given, and one that is all padding in a sample,
    are the same. A new block changes nothing, or is the plain mode that its docstring names.
    """

    config: FusionConfig

    def forward(self, embeddings: Sequence[ModalityEmbedding]) -> Fused:
        """Raises InputError for no input, an unknown one, or one of another width or batch."""
        raise NotImplementedError


def adjusted(base: ModalityEmbedding, tokens: Tokens, parts: Parts) -> Fused:
    """The base with other tokens, under the names of all that were heard; padding stays 0."""
    kept = tokens.masked_fill(~base.mask[..., None], 0)
    return Fused(ModalityEmbedding(joined_name(list(parts.values())), kept, base.mask))
