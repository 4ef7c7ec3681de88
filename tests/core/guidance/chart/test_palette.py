"""Colours stay with their names and can be told apart."""

from itertools import combinations

import pytest

from mm_core.embedded.model import MODALITIES
from mm_core.guidance.chart.palette import (
    INK,
    NAMED,
    OTHERS,
    PAPER,
    colors,
    diverging,
    lighter,
    mixed,
    readable_on,
)


def luminance(color):
    """Relative luminance, WCAG 2.2."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (v / 255 for v in color)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_every_modality_of_ours_has_a_color_of_its_own():
    assert set(MODALITIES) == NAMED.keys()


def test_a_name_keeps_its_color_whatever_stands_beside_it():
    alone = colors(["text"]) | colors(["my input"])
    assert colors(["audio", "my input", "text"]) == alone | colors(["audio"])


def test_sixteen_names_have_sixteen_colors():
    for names in ([f"input {i}" for i in range(16)], [*NAMED, *(f"x{i}" for i in range(10))]):
        assert len(set(colors(names).values())) == 16


def test_more_names_than_colors_are_colored_all_the_same():
    assert len(colors(f"input {i}" for i in range(40))) == 40


def seen_without_green_cones(color):
    """Deuteranopia on linear light. Vienot, Brettel and Mollon 1999, Table 1 in effect."""
    r, g, b = ((v / 255) ** 2.2 for v in color)
    y = 0.29275 * r + 0.70725 * g
    return (y, y, -0.02234 * r + 0.02234 * g + b)


def test_no_two_colors_of_modalities_are_one_to_the_color_blind():
    for one, other in combinations(NAMED.values(), 2):
        a, b = seen_without_green_cones(one), seen_without_green_cones(other)
        assert max(abs(x - y) for x, y in zip(a, b, strict=True)) > 0.05, (one, other)


def test_words_on_a_color_can_be_read():
    for color in (*NAMED.values(), *OTHERS, *(diverging(v / 10) for v in range(-10, 11))):
        assert contrast(readable_on(color), color) > 3, color


def test_the_scale_from_against_to_with_is_white_in_the_middle_and_ends_at_1():
    assert diverging(0) == PAPER
    assert diverging(3) == diverging(1) != diverging(-1)
    assert luminance(diverging(0.2)) > luminance(diverging(0.8))


@pytest.mark.parametrize(
    ("share", "result"), [(0, (0, 0, 0)), (0.5, (100, 50, 5)), (1, (200, 100, 10))]
)
def test_mixing_goes_from_one_to_the_other(share, result):
    assert mixed((0, 0, 0), (200, 100, 10), share) == result


def test_lighter_is_on_the_way_to_white():
    assert luminance(INK) < luminance(lighter(INK)) < luminance(PAPER)
