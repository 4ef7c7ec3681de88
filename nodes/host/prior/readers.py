"""Image embeddings for one that reads them."""

from ....mm_core.errors import InputError
from ....mm_core.priors.space import ImageEmbedding, Reader, check_fits
from .vectors import embedding_of


def embedding_for(output, reader: Reader) -> ImageEmbedding:
    """The vectors of a CLIP_VISION_OUTPUT.

    Raises InputError unless they are of the reader's space and as long as its encoder makes them.
    """
    embedding = embedding_of(output)
    check_fits(embedding.space, reader)
    if embedding.unit:
        raise InputError(
            f"the image embedding has length 1, and {reader.name} was trained on the lengths that "
            f"{embedding.space.encoder} gives: match the length to a picture's first, with Mix "
            "Image Embeddings in the mode match length"
        )
    return embedding
