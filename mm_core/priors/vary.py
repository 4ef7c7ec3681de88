"""Noise on an image embedding, for variations of one picture."""

from collections.abc import Sequence

from ..errors import InputError
from ..numerics import sample_norm
from .noise import Noise
from .space import ImageEmbedding
from .unclip import TOTAL, cosine_table


def varied(embedding: ImageEmbedding, share: float, seeds: Sequence[int]) -> ImageEmbedding:
    """sqrt(ab) z + sqrt(1 - ab) n, n being noise as long as z, drawn from each image's own seed.

    share: 0, nothing is changed, to 1, nothing is left; ab is that of round(999 share) in the
    cosine schedule. embedding: one for all images, or one for each; what has length 1 keeps it.
    Raises InputError for a share or seeds out of range, and counts that do not go together.
    Source: the noise levels that unCLIP models were trained with, Ramesh et al. 2022, arXiv
    2204.06125, and Stable unCLIP.
    """
    if not 0 <= share <= 1:
        raise InputError(f"variety is {share}; it must be between 0 and 1")
    if not seeds or not all(0 <= s < 2**64 for s in seeds):
        raise InputError(f"seeds are {tuple(seeds)}; needed some between 0 and 2^64 - 1")
    if len(embedding) not in (1, len(seeds)):
        raise InputError(
            f"there are {len(embedding)} image embeddings for {len(seeds)} images; give one, or as "
            "many"
        )
    clean = embedding.vectors.float().expand(len(seeds), -1)
    if share == 0:
        return ImageEmbedding(clean.clone(), embedding.space, embedding.unit)
    kept = cosine_table().kept[round((TOTAL - 1) * share)].to(clean)
    noise = Noise(seeds).normal(clean.shape[1]).to(clean)
    noise = noise / sample_norm(noise) * sample_norm(clean)
    made = kept**0.5 * clean + (1 - kept) ** 0.5 * noise
    if embedding.unit:
        made = made / sample_norm(made)
    return ImageEmbedding(made, embedding.space, embedding.unit)
