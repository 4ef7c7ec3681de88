"""How one weight spreads over the places of a UNet: place -> scale, as pure functions.

A place is an attention module in the order of execution (Site.place): 16 of them in SD1.5, 11 in
SDXL. What each does was found by trial: see Wang et al. 2024 (InstantStyle), arXiv 2404.02733.
"""

import math
from collections.abc import Callable, Mapping

from ...errors import InputError

SD15_PLACES, SDXL_PLACES = 16, 11
WEAK = 0.2
_STYLE = {SDXL_PLACES: {6}, SD15_PLACES: {0, 1, 2, 3, *range(9, 16)}}
_LAYOUT = {SDXL_PLACES: {3: 1.0}, SD15_PLACES: {4: 0.25, 5: 1.0}}  # place -> share of the weight

_EASE: dict[str, Callable[[float], float]] = {  # of the way through the UNet, 0 to 1
    "linear": lambda way: 1.0,
    "ease in": lambda way: 0.05 + 0.95 * (1 - way),
    "ease out": lambda way: 0.05 + 0.95 * way,
    "ease in-out": lambda way: 0.05 + 0.95 * (1 - abs(2 * way - 1)),
    "reverse in-out": lambda way: 0.05 + 0.95 * abs(2 * way - 1),
}
_WEAKENED = {
    "weak input": {"input"},
    "weak middle": {"middle"},
    "weak output": {"output"},
    "strong middle": {"input", "output"},
}
_PRECISE = ("precise style", "precise composition")
_CONCEPTS = ("style", "composition", "strong style", "style and composition", *_PRECISE)
WEIGHT_TYPES = (*_EASE, *_WEAKENED, *_CONCEPTS)


def spread(
    kind: str, places: Mapping[int, str], weight: float = 1.0, composition: float = 1.0
) -> dict[int, float]:
    """Place -> scale; a place that is left out is not applied.

    places: of the model, from sites.places. composition: the second weight of "style and
    composition"; elsewhere it is not read.
    """
    if kind in _EASE:
        return {i: weight * _EASE[kind](i / len(places)) for i in places}
    if kind in _WEAKENED:
        weak = _WEAKENED[kind]
        if not weak & set(places.values()):
            raise InputError(
                f"weight type {kind!r} is for UNets, but this model has "
                f"{' and '.join(sorted(set(places.values())))} blocks; choose "
                f"{', '.join(_EASE)}, or give layers"
            )
        return {i: weight * (WEAK if block in weak else 1.0) for i, block in places.items()}
    if kind not in _CONCEPTS:
        raise InputError(f"there is no weight type {kind!r}; choose from {', '.join(WEIGHT_TYPES)}")
    if len(places) not in _STYLE:
        raise InputError(
            f"weight type {kind!r} is known for SD1.5 and SDXL ({SD15_PLACES} and {SDXL_PLACES} "
            f"places), but this model has {len(places)}; choose another weight type"
        )
    style, layout = _STYLE[len(places)], _LAYOUT[len(places)]
    if kind == "style":
        return {i: weight for i in sorted(style)}
    if kind == "composition":
        return {i: weight * share for i, share in layout.items()}
    if kind == "strong style":
        return {i: weight for i in sorted(places.keys() - layout.keys())}
    if kind in _PRECISE:  # one of the two is turned round, see turned_round
        composition = weight
    both = {i: weight for i in style} | {i: composition * s for i, s in layout.items()}
    return dict(sorted(both.items()))


def turned_round(kind: str, places: Mapping[int, str]) -> frozenset[int]:
    """Places where rows without the picture hear it, and rows with it do not.

    Guidance then pushes away from what these places carry: from the picture's layout in "precise
    style", from its style in "precise composition". None in other types.
    """
    if kind not in _PRECISE or len(places) not in _STYLE:
        return frozenset()
    style = kind == "precise style"
    return frozenset(_LAYOUT[len(places)] if style else _STYLE[len(places)])


def from_text(text: str, places: Mapping[int, str], weight: float = 1.0) -> dict[int, float]:
    """ "3:2.5, 6:1" -> {3: 2.5 * weight, 6: weight}; a place that is left out is not applied."""
    out: dict[int, float] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        place, colon, value = item.partition(":")
        try:
            number, factor = int(place), float(value)
        except ValueError:
            number, factor, colon = -1, 0.0, ""
        if not colon:
            raise InputError(f"layer weights: found {item!r}, needed PLACE:WEIGHT, such as 6:1.5")
        if number not in places or number in out:
            again = "is named twice" if number in out else "does not exist"
            raise InputError(
                f"layer weights: place {number} {again}; needed places of 0 to {len(places) - 1}, "
                "each once"
            )
        out[number] = weight * _finite(factor, f"the weight of place {number}")
    if not out:
        raise InputError("layer weights: found nothing, needed PLACE:WEIGHT, such as 6:1.5")
    return out


def _finite(value: float, what: str) -> float:
    if not math.isfinite(value):
        raise InputError(f"{what} is {value}; it must be a finite number, such as 1.5")
    return value
