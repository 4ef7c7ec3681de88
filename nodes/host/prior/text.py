"""Words as a prior reads them, by the text tower of the CLIP whose image embeddings it gives."""

import logging
from functools import cache
from typing import Any

import comfy.ops
import comfy.sd1_clip
import torch
import torch.nn.functional as F

from ....mm_core.embedded.conditioners import TextEncoder
from ....mm_core.embedded.prior import load_priors
from ....mm_core.embedded.vocabulary import PAD, TOKENS, WORDS, tokenize
from ....mm_core.embedded.weights import load_embedded
from ....mm_core.errors import InputError
from ....mm_core.priors.about import how_to_connect
from ....mm_core.priors.prior import PriorText, check_text
from ....mm_core.priors.space import EMBEDDED, UNKNOWN, Space
from ..embedded import EmbeddedText
from ..encoders.encoder import HostEncoder
from ..patcher import home, managed, ready
from .clip_tower import hear

_log = logging.getLogger(__name__)
LONGEST = 77  # tokens of a text, in every published prior
PROJECTS = "CLIP text"  # the family of encoders that does


def read_text(
    space: Space,
    words: str,
    clip: Any = None,
    encoder: HostEncoder | None = None,
    tokens: int = LONGEST,
    who: str = "",
) -> PriorText:
    """One text, for priors of the space, where results wait. Padding is zero.

    clip, encoder: one of them, or none for the embedded model's own. tokens: of the text, with
    those that begin and end it; what is beyond is left out and logged. Numbers of emphasis, such as
    in (red:1.2), are not heard. who: needs the text, named in errors; empty for a prior of
    the space. Raises InputError for a text tower of something else.
    """
    if space == EMBEDDED:
        return _by_shipped(words, clip, encoder)
    if (clip is None) == (encoder is None):
        found = "both clip and encoder" if clip is not None else "no text tower"
        raise InputError(
            f"{who or _prior(space)} needs its text tower and found {found}: "
            f"{how_to_connect(space)}"
        )
    text = (
        _padded(*hear(space, words, clip, tokens, who or _prior(space)), tokens)
        if encoder is None
        else _by_encoder(space, words, encoder, tokens)
    )
    check_text(text, space, tokens, who or _prior(space, space.name))
    return text


def _prior(space: Space, said: object = None) -> str:
    return "this prior" if space.name == UNKNOWN else f"a prior of {said or space}"


def plain(words: str) -> str:
    """A prompt without its signs of emphasis."""
    parts = comfy.sd1_clip.token_weights(comfy.sd1_clip.escape_important(words), 1.0)
    return comfy.sd1_clip.unescape_important("".join(part for part, _ in parts))


# the embedded model's


def _by_shipped(words: str, clip: Any, encoder: Any) -> PriorText:
    own = clip is None or isinstance(clip.cond_stage_model, EmbeddedText)
    if encoder is not None or not own:
        raise InputError(
            "the embedded model's priors bring their own text tower, and cannot hear another: "
            f"disconnect {'encoder' if encoder is not None else 'clip'}"
        )
    tower, device = ready(_shipped_tower())
    return _at_home(tower(torch.tensor([tokenize(plain(words))], device=device)))


class ShippedTower(torch.nn.Module):
    """The embedded model's text encoder, and the tower on it."""

    def __init__(self):
        super().__init__()
        self.text = TextEncoder(len(WORDS), TOKENS, ops=comfy.ops.manual_cast)
        self.text.load_state_dict(load_embedded()[0].text.state_dict())
        self.tower = load_priors(ops=comfy.ops.manual_cast)[0].tower
        self.requires_grad_(False)

    def forward(self, numbers: torch.Tensor) -> PriorText:
        return self.tower(self.text(numbers), numbers != PAD)


@cache
def _shipped_tower(disable_dynamic: bool = False):
    return managed(ShippedTower(), _shipped_tower, (), disable_dynamic)


# an encoder of ours


def _by_encoder(space: Space, words: str, encoder: HostEncoder, tokens: int) -> PriorText:
    given = encoder.encoder
    if given.family != PROJECTS:
        raise InputError(
            f"the encoder {given.name} ({given.family}) does not project a text into the space of "
            f"pictures: {how_to_connect(space)}"
        )
    made = encoder([plain(words)])
    said, mask = made.embedding.tokens, made.embedding.mask
    if said.shape[1] > tokens:
        _log.warning("the prior reads %d tokens; it does not hear the others", tokens)
    return _padded(made.vector, said[:, :tokens], int(mask.sum()), tokens)


def _padded(pooled: torch.Tensor, said: torch.Tensor, real: int, tokens: int) -> PriorText:
    """real: how many tokens, from the first, are."""
    said = said[:, :real]
    mask = torch.zeros(1, tokens, dtype=torch.bool)
    mask[:, : said.shape[1]] = True
    said = F.pad(said, (0, 0, 0, tokens - said.shape[1]))
    return _at_home(PriorText(pooled.float(), said.float(), mask))


def _at_home(text: PriorText) -> PriorText:
    return to_device(text, home())


def to_device(text: PriorText, device: torch.device) -> PriorText:
    return PriorText(text.pooled.to(device), text.tokens.to(device), text.mask.to(device))
