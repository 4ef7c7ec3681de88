"""Words for the style of a scene: its texture's family and its two colours."""

import colorsys
import random

from ...types import Float, Tensor
from .attributes import FAMILIES
from .captions import caption
from .content import Content
from .style import Style

MOST_WORDS = 23  # that the embedded model reads
_HUES = ((0.035, "red"), (0.12, "orange"), (0.19, "yellow"), (0.46, "green"), (0.7, "blue"),
         (0.93, "purple"), (1.01, "red"))  # fmt: skip
_PALE = 0.18  # saturation below which a colour is called white or black


def color_word(rgb: tuple[float, float, float]) -> str:
    """The nearest word of scenes.attributes.COLORS, by hue, and by brightness without one."""
    hue, saturation, value = colorsys.rgb_to_hsv(*rgb)
    if saturation < _PALE:
        return "white" if value > 0.6 else "black"
    return next(word for end, word in _HUES if hue < end)


def palette_words(palette: Float[Tensor, "6"]) -> tuple[str, str]:
    """Of the darker and of the lighter colour of Style.palette()."""
    r, g, b, x, y, z = palette.tolist()
    return color_word((r, g, b)), color_word((x, y, z))


def ground_words(style: Style, index: int, rng: random.Random, full: bool = False) -> str:
    """Such as "purple and blue stripes". full: both colours and the family; otherwise a random
    part of it, which may be nothing."""
    both = palette_words(style.palette()[index])
    colors = list(dict.fromkeys(both))
    family = FAMILIES[int(style.family[index])]
    if full or rng.random() < 0.55:
        return f"{' and '.join(colors)} {family}"
    return rng.choice([f"{rng.choice(colors)} {family}", family, " and ".join(colors), ""])


def style_caption(
    content: Content, style: Style, index: int, rng: random.Random, full: bool = False
) -> str:
    """What scene number index shows, partly, and on what: "a red circle on blue stripes".

    full: the ground is named in full. Nothing of the content is named in a quarter of the
    captions, and where there would be too many words.
    """
    ground = ground_words(style, index, rng, full)
    shown = _without_family(caption(content, style, index, rng))
    if rng.random() < 0.25:
        return ground
    said = f"{shown} on {ground}" if ground else shown
    return said if len(said.split()) <= MOST_WORDS else ground


def _without_family(said: str) -> str:
    for family in FAMILIES:
        said = said.removesuffix(f" on {family}")
    return said
