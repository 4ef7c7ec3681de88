"""Media in time: which frame a token belongs to."""

from collections import Counter
from collections.abc import Sequence

import torch.nn.functional as F

from ..errors import InputError
from ..types import Float, ModalityEmbedding, Tensor


def frames_of(embedding: ModalityEmbedding, count: int) -> list[ModalityEmbedding]:
    """An embedding of a video as that of its frames, in order. Each has as many tokens.

    Raises InputError if the tokens cannot be shared out evenly.
    """
    tokens = embedding.tokens.shape[1]
    if count < 1 or tokens % count:
        raise InputError(
            f"{embedding.modality} has {tokens} tokens, which are not {count} equal frames; "
            "give the number of frames that the encoder saw"
        )
    size = tokens // count
    pairs = zip(embedding.tokens.split(size, 1), embedding.mask.split(size, 1), strict=True)
    return [ModalityEmbedding(embedding.modality, x, mask) for x, mask in pairs]


def in_time(
    embeddings: Sequence[ModalityEmbedding], table: Float[Tensor, "f d"]
) -> list[ModalityEmbedding]:
    """Each embedding with the row of the table for its place among those of its modality."""
    total, seen, out = Counter(e.modality for e in embeddings), Counter[str](), []
    for e in embeddings:
        row = time_rows(table, total[e.modality])[seen[e.modality]].to(e.tokens)
        seen[e.modality] += 1
        tokens = (e.tokens + row).masked_fill(~e.mask[..., None], 0)
        out.append(ModalityEmbedding(e.modality, tokens, e.mask))
    return out


def time_rows(table: Float[Tensor, "f d"], count: int) -> Float[Tensor, "count d"]:
    """The first rows of the table; where it has too few, all of them stretched over the time.

    Source: Alayrac et al. 2022 (Flamingo), arXiv 2204.14198: 8 frames in training, 30 after.
    """
    if count <= len(table):
        return table[:count]
    stretched = F.interpolate(table.T[None], count, mode="linear", align_corners=True)
    return stretched[0].T
