"""Tables between two marks of a document."""

import pytest

from mm_core.errors import InputError
from mm_core.evaluation.markdown import END, begin, insert
from mm_core.evaluation.measures import MEASURES


def cell(value):
    return {"value": value, "interval": None if value is None else 0.0123, "n": 7}


@pytest.fixture
def result():
    measures = {name: cell(0.5) for name in MEASURES}
    run = {
        "section": "main",
        "name": "all inputs",
        "measures": {**measures, "audio": cell(None)},
        "rows_per_evaluation": 7.0,
        "frechet": 1.25,
    }
    return {
        "scenes": 8,
        "seeds": [1, 2],
        "steps": 25,
        "sampler": "euler",
        "oracle_sha256": "abcdef0123456789",
        "ceiling": {name: cell(1.0) for name in MEASURES},
        "chance": {name: cell(0.25) for name in MEASURES},
        "runs": [run],
    }


def test_only_the_part_between_the_marks_changes(result):
    old = f"# Title\n\n{begin(['main'])}\nold figures\n{END}\n\nText after.\n"
    new = insert(old, result, "mmc evaluate")
    assert new.startswith("# Title\n\n")
    assert new.endswith(f"{END}\n\nText after.\n")
    assert "old figures" not in new
    assert "| all inputs | 0.500 ±.012 |" in new
    assert "| - | 7 | 1.25 |" in new
    assert "| *chance* | 0.250 ±.012 |" in new


def test_inserting_twice_changes_nothing_more(result):
    once = insert(f"{begin(['main'])}\n{END}\n", result, "mmc evaluate")
    assert insert(once, result, "mmc evaluate") == once


@pytest.mark.parametrize("document", ["", "<!-- figures: sweep -->\n", "<!-- figures: main -->\n"])
def test_a_document_without_both_marks_is_refused_by_their_names(document, result):
    with pytest.raises(InputError, match=r"lacks the lines '<!-- figures: main -->' and"):
        insert(document, result, "mmc evaluate")
