"""A white sheet to draw on, with smooth edges. All lengths are pixels of the picture."""

from collections.abc import Sequence
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from .palette import INK, PAPER, Color, Number

FINER = 3  # everything is drawn this much larger and then reduced: edges and letters get smooth
Point = tuple[Number, Number]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@lru_cache(maxsize=16)
def font(size: int) -> Font:
    """Pillow's own font, so that pictures look alike everywhere."""
    return ImageFont.load_default(size)


def width_of(words: str, size: int = 12) -> Number:
    return font(size * FINER).getlength(words) / FINER


def fitted(words: str, width: Number, size: int = 12) -> str:
    """One line, with dots for its middle where it would be wider than `width`: names that begin
    alike often end in a number."""
    line = " ".join(words.split())
    if width_of(line, size) <= width:
        return line
    kept = len(line)
    while kept and width_of(_without_middle(line, kept), size) > width:
        kept -= 1
    return _without_middle(line, kept)


def _without_middle(line: str, kept: int) -> str:
    tail = kept // 3
    return f"{line[: kept - tail].rstrip()}...{line[len(line) - tail :].lstrip()}"


def wrapped(words: str, width: Number, size: int = 12) -> list[str]:
    """Lines no wider than `width`."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if width_of(longer, size) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return [fitted(line, width, size) for line in lines]


class Canvas:
    """Shapes lie over each other in the order in which they are drawn; words lie over all."""

    def __init__(self, width: int, height: int):
        self.size = (width, height)
        self._sheet = Image.new("RGB", (width * FINER, height * FINER), PAPER)
        self._draw = ImageDraw.Draw(self._sheet)
        self._words: list[tuple[Point, str, Color, int, str]] = []

    def line(self, points: Sequence[Point], color: Color, width: Number = 1.0) -> None:
        scaled = [(x * FINER, y * FINER) for x, y in points]
        if len(scaled) > 1:
            self._draw.line(scaled, color, max(1, round(width * FINER)), joint="curve")

    def box(
        self,
        corners: tuple[Number, Number, Number, Number],
        fill: Color | None = None,
        outline: Color | None = None,
        width: Number = 1.0,
    ) -> None:
        """corners: left, top, right, bottom. Nothing is drawn of a box without area."""
        left, top, right, bottom = (round(v * FINER) for v in corners)
        if right > left and bottom > top:
            self._draw.rectangle(
                (left, top, right - 1, bottom - 1), fill, outline, max(1, round(width * FINER))
            )

    def dot(self, at: Point, radius: Number, fill: Color, outline: Color) -> None:
        x, y, r = at[0] * FINER, at[1] * FINER, radius * FINER
        self._draw.ellipse((x - r, y - r, x + r, y + r), fill, outline, FINER)

    def text(
        self, at: Point, words: str, color: Color = INK, size: int = 12, anchor: str = "lm"
    ) -> None:
        """anchor: l, m or r for where `at` is across, and t, m or s (the line the words stand on)
        for where it is down."""
        self._words.append((at, words, color, size, anchor))

    def finish(self) -> Image.Image:
        """The picture."""
        for (x, y), words, color, size, anchor in self._words:
            at = x * FINER, y * FINER
            self._draw.text(at, words, color, font(size * FINER), anchor)
        return self._sheet.resize(self.size, Image.Resampling.BOX)
