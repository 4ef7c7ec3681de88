"""A contact sheet: labelled rows of pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

TILE, GAP, TEXT, HEADING = 128, 6, 15, 26
INK, PAPER, FAINT = (20, 20, 24), (250, 250, 248), (110, 110, 116)


@dataclass(frozen=True)
class Strip:
    """A heading over a row of (label, picture)."""

    heading: str
    tiles: Sequence[tuple[str, Image.Image]]


def contact_sheet(title: str, strips: Sequence[Strip], tile: int = TILE) -> Image.Image:
    """All strips under each other. Labels wrap inside their tile's width; a title of several
    lines has the first one large."""
    small, large = ImageFont.load_default(11), ImageFont.load_default(16)
    columns = max(len(s.tiles) for s in strips)
    width = GAP + columns * (tile + GAP)
    ruler = ImageDraw.Draw(Image.new("RGB", (1, 1)))

    def wrapped(label: str) -> list[str]:
        lines = [""]
        for word in label.split():
            longer = f"{lines[-1]} {word}".strip()
            if ruler.textlength(longer, small) <= tile:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines

    depth = [max(len(wrapped(label)) for label, _ in s.tiles) for s in strips]
    heights = [HEADING + tile + 4 + n * TEXT + GAP for n in depth]
    head, *prompt = title.split("\n")
    top = 40 + 18 * len(prompt)
    sheet = Image.new("RGB", (width, top + sum(heights)), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((GAP, 10), head, INK, large)
    for k, line in enumerate(prompt):
        draw.text((GAP, 36 + 18 * k), line, INK, ImageFont.load_default(13))
    for strip, height in zip(strips, heights, strict=True):
        draw.text((GAP, top + 5), strip.heading, FAINT, ImageFont.load_default(13))
        for column, (label, picture) in enumerate(strip.tiles):
            left = GAP + column * (tile + GAP)
            sheet.paste(picture.convert("RGB").resize((tile, tile)), (left, top + HEADING))
            for k, line in enumerate(wrapped(label)):
                draw.text((left, top + HEADING + tile + 3 + k * TEXT), line, INK, small)
        top += height
    return sheet
