"""Points as text: read as written, or refused with the pair that is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_core.errors import InputError
from mm_core.guidance.points import EXAMPLE, parse_points
from mm_core.guidance.schedule import Schedule


def test_the_example_is_what_it_says():
    assert parse_points(EXAMPLE) == ((0.0, 1.0), (0.5, 0.2), (1.0, 0.0))


@pytest.mark.parametrize(
    "text",
    ["0:1,1:0", " 0 : 1 ;1: 0", "0:1\n1:0\n", ",0:1,,1:0,", "0.0:1e0, 1.0:-0"],
)
def test_blanks_lines_and_separators_do_not_matter(text):
    assert parse_points(text) == ((0.0, 1.0), (1.0, 0.0))


def test_one_point_and_values_beyond_0_and_1_will_do():
    assert parse_points("0.3:-2.5") == ((0.3, -2.5),)


@given(
    st.dictionaries(st.floats(0, 1), st.floats(-10, 10), min_size=1, max_size=9).map(
        lambda found: tuple(sorted(found.items()))
    )
)
def test_what_is_written_is_read_back_and_makes_a_schedule(points):
    text = ", ".join(f"{x!r}:{y!r}" for x, y in points)
    assert parse_points(text) == points
    assert Schedule("points", points=parse_points(text)).points == points


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "points: found none; write progress:value pairs such as 0:1, 0.5:0.2, 1:0"),
        (" ,\n; ", "points: found none"),
        ("0:1, half", "points: 'half' is no pair of finite numbers; write progress:value"),
        ("0:1, 0.5", "points: '0.5' is no pair of finite numbers"),
        ("0:1:2", "points: '0:1:2' is no pair"),
        ("0:nan", "points: '0:nan' is no pair of finite numbers"),
        ("0:1, 1:inf", "points: '1:inf' is no pair of finite numbers"),
        ("0:", "points: '0:' is no pair"),
        ("0:1, 1.5:0", "points: '1.5:0' lies at 1.5; progress runs from 0 .pure noise. to 1"),
        ("-0.1:1", "points: '-0.1:1' lies at -0.1"),
        ("0:1, 0.5:1, 0.4:0", "points: '0.4:0' does not lie behind '0.5:1'; write them from 0 up"),
        ("0.5:1, 0.50:0", "points: '0.50:0' does not lie behind '0.5:1'"),
        ("x" * 999, "points: 'x{40}' is no pair"),
    ],
)
def test_what_is_wrong_is_named(text, said):
    with pytest.raises(InputError, match=said) as raised:
        parse_points(text)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["0:1e300, 1:0", "0:-10.5"])
def test_a_value_far_from_any_weight_is_refused(text):
    with pytest.raises(InputError, match="values are -10 to 10, 1 is the weight as set"):
        parse_points(text)
