"""Content and style -> a sentence in the embedded model's small language."""

import random

from .attributes import ARMS, COLORS, FAMILIES, POSITIONS, RELATIONS, SHAPES, SIZES
from .content import (
    ONE_OBJECT,
    PERSON,
    PERSON_AND_OBJECT,
    TWO_OBJECTS,
    Content,
)
from .style import Style


def caption(
    content: Content, style: Style, index: int, rng: random.Random, full: bool = False
) -> str:
    """Says what scene number index shows. full: names everything; otherwise a random part of it.

    The texture family is named in three captions of ten, and never in a full one, so that text
    and style input can be told apart.
    """

    def coin(p: float) -> bool:
        return full or rng.random() < p

    def thing(slot: int) -> str:
        size = SIZES[int(content.large[index, slot])] + " " if coin(0.5) else ""
        color = COLORS[int(content.color[index, slot])]
        return _a(f"{size}{color} {SHAPES[int(content.shape[index, slot])]}")

    def person() -> str:
        said = "a person"
        if coin(0.8):
            said += f" in {_a(COLORS[int(content.shirt[index])])} shirt"
        arms = int(content.arms[index])
        if arms < len(ARMS) and coin(0.5):
            said += f" with arms {ARMS[arms]}"
        return said

    kind, relation = int(content.kind[index]), RELATIONS[int(content.relation[index])]
    if kind == ONE_OBJECT:
        said = thing(0)
        if coin(0.6):
            said += f" {POSITIONS[int(content.position[index])]}"
    elif kind == TWO_OBJECTS:
        said = f"{thing(0)} {relation} {thing(1)}"
        if not coin(0.8):
            said = " and ".join(rng.sample([thing(0), thing(1)], 2))
    elif kind == PERSON:
        said = person()
    elif kind == PERSON_AND_OBJECT:
        said = f"{person()} {relation} {thing(0)}" if coin(0.75) else f"{person()} and {thing(0)}"
    else:
        said = f"{person()} between {thing(0)} and {thing(1)}"
    if not full and rng.random() < 0.3:
        said += f" on {FAMILIES[int(style.family[index])]}"
    return said


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
