"""Colours that stay with a name, and that people who see colours differently can tell apart."""

import zlib
from collections.abc import Iterable

Color = tuple[int, int, int]
Number = float | int

INK, FAINT, GRID, PAPER = (28, 30, 34), (104, 108, 116), (222, 224, 228), (255, 255, 255)
RUN, WARNING = (70, 78, 92), (176, 72, 0)

# Okabe and Ito 2008, "Color universal design".
NAMED: dict[str, Color] = {
    "text": (0, 114, 178),
    "style": (213, 94, 0),
    "depth": (0, 158, 115),
    "pose": (204, 121, 167),
    "segmentation": (230, 159, 0),
    "audio": (86, 180, 233),
}
# Tol 2021, "Colour schemes", section 2, muted; brown and grey added.
OTHERS: tuple[Color, ...] = (
    (51, 34, 136), (136, 34, 85), (153, 153, 51), (68, 170, 153), (17, 119, 51), (170, 68, 153),
    (204, 102, 119), (221, 204, 119), (102, 17, 0), (136, 136, 136),
)  # fmt: skip
AGREE, CONTRADICT = (33, 102, 172), (179, 88, 6)  # ends of a scale with white between


def colors(names: Iterable[str]) -> dict[str, Color]:
    """One colour for each name: the same in every picture, but for the second of two names that
    would meet in one. Up to sixteen names get sixteen colours."""
    given = list(dict.fromkeys(names))
    free = [color for name, color in NAMED.items() if name not in given]
    out: dict[str, Color] = {}
    for name in given:
        start = zlib.crc32(name.encode()) % len(OTHERS)
        turned = [*OTHERS[start:], *OTHERS[:start], *free]
        out[name] = NAMED.get(name) or next((c for c in turned if c not in out.values()), turned[0])
    return out


def lighter(color: Color, share: Number = 0.6) -> Color:
    """Part of the way to white."""
    return mixed(color, PAPER, share)


def mixed(one: Color, other: Color, share: Number) -> Color:
    """share: 0 is one, 1 is the other."""
    r, g, b = (round(a + (z - a) * share) for a, z in zip(one, other, strict=True))
    return r, g, b


def diverging(value: Number) -> Color:
    """-1 is the contradicting end, 0 white, 1 the agreeing end."""
    end = AGREE if value > 0 else CONTRADICT
    return mixed(PAPER, end, min(1.0, abs(value)))


def readable_on(color: Color) -> Color:
    """Ink, or white, whichever stands out."""
    r, g, b = color
    return INK if 0.299 * r + 0.587 * g + 0.114 * b > 130 else PAPER
