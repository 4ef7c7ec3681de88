"""Prompts whose text encoder reads pictures, too: they are no prompts to put side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

import comfy.model_base

from ...mm_core.errors import InputError
from .effects import HostModality, TextEffect
from .same import is_setting, same

SEEING = (
    "Boogu", "HiDreamO1", "HunyuanVideoI2V", "JoyImage", "Krea2", "LongCatImage", "MageFlow",
    "MiniMaxH3", "Omnigen2", "QwenImage",
)  # fmt: skip
"""The host's models with encoders that read pictures and words together, where it has them."""

PICTURES = (
    "clip_vision_output", "concat_latent_image", "minimax_keyframes", "minimax_refs",
    "reference_latents",
)  # fmt: skip


def refuse_rewritten_prompts(model, modalities: Sequence[HostModality]) -> None:
    """InputError where several inputs are prompts of such an encoder, and one of them has pictures.

    Each would be taken for a whole prompt: rows would hold the words several times, and every
    picture. Told by the model, or by an input whose absence is another input's prompt and which
    carries more than that, with other tokens.
    """
    texts = {
        m.modality.name: m.effect
        for m in modalities
        if isinstance(m.effect, TextEffect) and m.modality.ever
    }
    if len(texts) < 2:
        return
    kinds = tuple(kind for name in SEEING if (kind := getattr(comfy.model_base, name, None)))
    pictured = [name for name, text in texts.items() if _has_pictures(text.present)]
    if pictured and isinstance(model.model, kinds):
        raise _refused(pictured[0], next(name for name in texts if name != pictured[0]))
    for name, text in texts.items():
        for other, its in texts.items():
            if other != name and _rewrites(text, its):
                raise _refused(name, other)


def _has_pictures(conditioning) -> bool:
    return any(key in options for _, options in conditioning for key in PICTURES)


def _rewrites(text: TextEffect, other: TextEffect) -> bool:
    """Whether a prompt has other tokens than what it was made from, which is the other prompt, and
    carries things that this has not."""
    if not len(text.present) == len(text.absent) == len(other.present) == 1:
        return False
    (tokens, options), (before, without) = text.present[0], text.absent[0]
    if not same(before, other.present[0][0]) or same(tokens, before):
        return False
    return any(_more(value, without.get(key)) for key, value in options.items() if key in PICTURES)


def _more(value: Any, before: Any) -> bool:
    return not (is_setting(value) or isinstance(value, Mapping) or same(value, before))


def _refused(name: str, other: str) -> InputError:
    return InputError(
        f"{name} and {other} are prompts of an encoder that reads the pictures together with the "
        "words (Qwen-Image-Edit and its kin), so that each is the whole prompt anew: connect one "
        "Conditioning Modality, with all pictures in conditioning and the negative in absent"
    )
