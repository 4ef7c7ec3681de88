"""Tiles where they belong, and room for every label."""

import pytest
from PIL import Image

from mm_core.cli.sheet import GAP, HEADING, TEXT, Strip, contact_sheet

COLORS = [(200, 0, 0), (0, 200, 0), (0, 0, 200)]


def tiles(count, label="a"):
    return [(label, Image.new("RGB", (16, 16), COLORS[k % 3])) for k in range(count)]


def test_tiles_stand_in_their_strip_in_order():
    sheet = contact_sheet("title", [Strip("one", tiles(3)), Strip("two", tiles(2))], tile=64)
    first = 40 + HEADING + 32
    second = first + HEADING + 64 + 4 + TEXT + GAP
    columns = [GAP + k * (64 + GAP) + 32 for k in range(3)]
    assert [sheet.getpixel((x, first)) for x in columns] == COLORS
    assert [sheet.getpixel((x, second)) for x in columns[:2]] == COLORS[:2]


def test_the_widest_strip_sets_the_width():
    sheet = contact_sheet("title", [Strip("one", tiles(1)), Strip("two", tiles(4))], tile=64)
    assert sheet.width == GAP + 4 * (64 + GAP)


@pytest.mark.parametrize(("label", "lines"), [("a", 1), ("several words that do not fit", 4)])
def test_a_long_label_gets_more_lines(label, lines):
    height = contact_sheet("title", [Strip("one", tiles(1, label))], tile=64).height
    found = (height - 40 - HEADING - 64 - 4 - GAP) / TEXT
    assert found == int(found)
    assert (found > 1) == (lines > 1)
