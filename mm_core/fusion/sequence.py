"""Interleaved sequences: text, picture, text, picture, each text about the picture before it."""

from collections.abc import Sequence

import torch

from ..types import Bool, ModalityEmbedding, Tensor


def media_before(
    sequence: Sequence[ModalityEmbedding], base: str
) -> tuple[Bool[Tensor, "b n m"], Bool[Tensor, "b m"]]:
    """Which medium's tokens each text token hears: those of the one immediately before it, alone.

    Args:
        sequence: in reading order and in one batch. Those of the base are text, all others media.

    Returns the mask for the n text and m media tokens, each in order, and the same for text that
    would stand at the end. Text before any medium hears nothing. A medium that is all padding in a
    sample does not count there.

    Source: Alayrac et al. 2022 (Flamingo), arXiv 2204.14198, section 2.3 and Figure 7.
    """
    mask = sequence[0].mask
    last = torch.full((len(mask), 1), -1, device=mask.device)
    lasts = [torch.zeros(len(mask), 0, dtype=last.dtype, device=mask.device)]
    media = [mask[:, :0]]
    number = [lasts[0]]
    for k, e in enumerate(sequence):
        if e.modality == base:
            lasts.append(last.expand(-1, e.mask.shape[1]))
        else:
            last = torch.where(e.mask.any(1, keepdim=True), k, last)
            media.append(e.mask)
            number.append(torch.full_like(e.mask, k, dtype=last.dtype))
    real, numbers = torch.cat(media, 1), torch.cat(number, 1)[:, None]
    heard = (torch.cat(lasts, 1)[..., None] == numbers) & real[:, None]
    return heard, (last == numbers[:, 0]) & real
