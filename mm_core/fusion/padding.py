"""What a network is told of padding: nothing where it can be left out, a mask where it cannot."""

import torch

from ..types import ModalityEmbedding


def without_padding(embedding: ModalityEmbedding) -> ModalityEmbedding:
    """The same without the places where no sample has a token; one place is left if all are.

    Where all samples have as many tokens in the same places, nothing is left to mask. A whole
    embedding comes out as it is.
    """
    anywhere = embedding.mask.any(0)
    if bool(anywhere.all()):
        return embedding
    kept = anywhere.nonzero()[:, 0] if bool(anywhere.any()) else anywhere.new_zeros(1).long()
    return ModalityEmbedding(embedding.modality, embedding.tokens[:, kept], embedding.mask[:, kept])


def attention_mask(embedding: ModalityEmbedding) -> torch.Tensor | None:
    """(b, n) of 1 for a token that may be heard, else 0; None where all may.

    A sample of padding alone hears its first place, which is zeros: a softmax over nothing is NaN.
    """
    mask = embedding.mask
    if bool(mask.all()):
        return None
    first = torch.arange(mask.shape[1], device=mask.device) == 0
    return (mask | (first & ~mask.any(1, keepdim=True))).long()
