"""The embedded model's small language: words to numbers, and a clear refusal of other words."""

import difflib
import re

from ..errors import WordError
from .scenes.attributes import ARMS, COLORS, FAMILIES, POSITIONS, RELATIONS, SHAPES, SIZES

PAD, START = 0, 1
TOKENS = 24  # fixed length of a caption: START, words, PAD
_GRAMMAR = ["a", "an", "the", "and", "in", "with", "arms", "person", "shirt", "between", "on"]
WORDS: tuple[str, ...] = tuple(
    dict.fromkeys(
        ["<pad>", "<start>", *_GRAMMAR]
        + [
            word
            for names in (COLORS, SHAPES, FAMILIES, SIZES, ARMS, RELATIONS, POSITIONS)
            for name in names
            for word in name.split()
        ]
    )
)
_INDEX = {word: index for index, word in enumerate(WORDS)}
_SAME = {"centre": "center", "beneath": "below", "over": "above", "under": "below"}


def words_of(text: str) -> list[str]:
    """The words of a prompt, lower case, without punctuation, with spelling variants mapped."""
    return [_SAME.get(w, w) for w in re.findall(r"[^\s,.;:!?()\"]+", text.lower())]


def tokenize(text: str) -> list[int]:
    """TOKENS numbers for a prompt; the empty prompt is START and padding.

    Raises WordError for an unknown word, with the nearest known ones, and for a prompt that is
    too long.
    """
    return encode_words(words_of(text))


def encode_words(words: list[str]) -> list[int]:
    """The same for words that are already apart."""
    check_words(words)
    if len(words) > TOKENS - 1:
        raise WordError(
            f"the prompt has {len(words)} words; the embedded model reads at most {TOKENS - 1}: "
            "shorten it"
        )
    return [START, *(_INDEX[w] for w in words)] + [PAD] * (TOKENS - 1 - len(words))


def check_words(words: list[str]) -> None:
    """Raises WordError that names each unknown word with the nearest known ones."""
    known = [w for w in WORDS if not w.startswith("<")]
    unknown = [w for w in dict.fromkeys(words) if w not in known]
    if unknown:
        hints = [f"{w!r} (nearest: {', '.join(_nearest(w, known))})" for w in unknown[:3]]
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        raise WordError(
            f"the embedded model does not know {', '.join(hints)}{more}; "
            f"its {len(known)} words are: {' '.join(known)}"
        )


def _nearest(word: str, known: list[str]) -> list[str]:
    return difflib.get_close_matches(word, known, n=3, cutoff=0.0)
