"""A text to image embeddings."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from ....mm_core.errors import InputError
from ....mm_core.priors.diffusion import DiffusionPrior
from ....mm_core.priors.mix import match_norm
from ....mm_core.priors.prior import PriorText, Request, check_guidance
from ....mm_core.priors.rerank import best_of
from ....mm_core.priors.space import EMBEDDED, ImageEmbedding
from ..encoders.embedding import HostEmbedding, of_tokens, of_vectors
from ..encoders.watch import watcher
from ..patcher import home
from .files import HostPrior
from .text import read_text, to_device
from .vectors import VectorOutput, embedding_of

AT_ONCE = 32  # embeddings, so that 64 of 16 candidates need no more memory than these


@dataclass(frozen=True)
class Wanted:
    """What is to be sampled: count embeddings, each the best of so many candidates.

    Embedding k has the seed seed + k, and is what a run for it alone gives.
    """

    words: str
    seed: int
    steps: int
    guidance: float
    negative: str = ""
    count: int = 1
    candidates: int = 1
    solver: str = "ancestral"

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple((self.seed + k) % 2**64 for k in range(self.count))


@dataclass(frozen=True)
class Sampled:
    """The embeddings, for nodes that read either socket, and what was made, in words."""

    output: VectorOutput
    embedding: HostEmbedding
    about: str


def sample(
    prior: HostPrior, wanted: Wanted, clip: Any = None, encoder: Any = None, like: Any = None
) -> Sampled:
    """clip, encoder: see read_text. like: CLIP_VISION_OUTPUT whose length the embeddings take on.

    Raises InputError for what does not fit.
    """
    length = _length(prior, like)

    def read(words: str) -> PriorText:
        return read_text(prior.prior.space, words, clip, encoder, prior.tokens)

    told = bool(wanted.negative.strip())
    check_guidance(prior.prior.dropped, wanted.guidance, told, prior.prior.source)
    text, negative = read(wanted.words), None
    if wanted.guidance != 1 and (told or _lacks_null(prior)):
        negative = read(wanted.negative)
    made = _drawn(prior, wanted, text, negative)
    if length is not None:
        made = match_norm(made, length)
    return Sampled(VectorOutput(made), _embedding(prior, made), _about(made, wanted, text))


def _lacks_null(prior: HostPrior) -> bool:
    """Whether "" stands for no text; others have learned what does."""
    return isinstance(prior.prior, DiffusionPrior)


def _length(prior: HostPrior, like: Any) -> ImageEmbedding | None:
    if like is not None:
        given = embedding_of(like, "like")
        if given.space != prior.prior.space:
            raise InputError(
                f"like is an embedding of {given.space}, and the prior gives {prior.prior.space}: "
                "connect CLIP Vision Encode with that encoder"
            )
        if given.unit:
            raise InputError(
                "like has length 1 itself, as LAION's prior gives it: connect CLIP Vision Encode "
                f"of a picture, with {given.space.name}"
            )
        return given
    if prior.prior.unit:
        raise InputError(
            "this prior gives embeddings of length 1, and their readers expect the lengths of "
            f"{prior.prior.space.name}: connect CLIP Vision Encode of a picture to like, with that "
            "encoder"
        )
    return None


def _drawn(
    prior: HostPrior, wanted: Wanted, text: PriorText, negative: PriorText | None
) -> ImageEmbedding:
    ours, device = prior.ready()
    text = to_device(text, device)
    negative = to_device(negative, device) if negative is not None else None
    size = max(1, AT_ONCE // wanted.candidates)
    parts = [wanted.seeds[at : at + size] for at in range(0, wanted.count, size)]
    tick, made = watcher(), []
    for part, seeds in enumerate(parts):

        def on_step(done: int, total: int, part: int = part) -> None:
            tick(part * total + done, len(parts) * total)

        request = Request(seeds, wanted.steps, wanted.guidance, wanted.solver)
        made.append(best_of(ours, wanted.candidates, text, request, negative, on_step))
    vectors = torch.cat([m.vectors for m in made]).to(home(), torch.float32)
    return ImageEmbedding(vectors, ours.space, ours.unit)


def _embedding(prior: HostPrior, made: ImageEmbedding) -> HostEmbedding:
    """One token for each embedding; those of the embedded model as the tokens it reads."""
    if prior.style is not None and made.space == EMBEDDED:
        return HostEmbedding(of_tokens("style", prior.style.tokens(made)), vector=made.vectors)
    return HostEmbedding(of_vectors("image", made.vectors), vector=made.vectors)


def _about(made: ImageEmbedding, wanted: Wanted, text: PriorText) -> str:
    cosine = F.cosine_similarity(made.vectors, text.pooled.to(made.vectors)).mean()
    last = f" to {wanted.seeds[-1]}" if wanted.count > 1 else ""
    return (
        f"{len(made)} image embedding{'s' * (len(made) > 1)} of {made.space}, "
        f"seed {wanted.seeds[0]}{last}\n"
        f"cosine to the sentence {cosine:.2f}, length {made.vectors.norm(dim=1).mean():.3g}"
    )
