"""The table of priors in a document."""

import pytest

from mm_core.errors import InputError
from mm_core.evaluation.bench.priors_table import BEGIN, check, insert, table
from mm_core.evaluation.markdown import END


def figure(value):
    return {"value": value, "interval": 0.01, "n": 9}


FOUND = {
    "command": "mmc bench prior --n 8",
    "captions": 8,
    "painted": 4,
    "attempts": {"diffusion": figure(0.0123), "other": figure(-0.02)},
    "ways": [
        {
            "name": "diffusion",
            "meaning": "25 steps",
            "cosine": figure(0.61234),
            "less_straight": figure(0.3),
            "less_linear": figure(-0.05),
            "length": 1.04,
            "frechet": 12.34,
            "family": figure(0.75),
            "palette_mae": figure(0.09),
            "milliseconds": 41.2,
        },
        {
            "name": "true embedding",
            "meaning": "the scene's",
            "cosine": {"value": 1.0, "interval": None, "n": 1},
            "length": 1.0,
            "frechet": 0.0,
            "family": figure(0.9),
            "palette_mae": figure(0.04),
        },
    ],
}


def test_every_figure_is_in_its_place():
    said = table(FOUND)
    row = (
        "| diffusion | 0.612 ±0.010 | +0.300 ±0.010 | -0.050 ±0.010 | 1.04 | 12.3 | 0.750 ±0.010 |"
    )
    assert row + " 0.090 ±0.010 | 41 |" in said
    assert "| true embedding | 1.000 |  |  | 1.00 |" in said
    assert "- *diffusion*: 25 steps" in said
    assert "pair by pair: diffusion +0.012 ±0.010; other -0.020 ±0.010." in said
    assert said.startswith("8 held-out captions")


def test_the_table_goes_between_its_marks_and_nowhere_else():
    document = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    said = insert(document, FOUND)
    assert said.startswith(f"before\n{BEGIN}\n\n`mmc bench prior --n 8`")
    assert said.endswith(f"{END}\nafter\n")
    assert "old" not in said
    assert insert(said, FOUND) == said


def test_a_document_without_marks_is_refused():
    with pytest.raises(InputError, match=r"--markdown a\.md lacks"):
        check("nothing", "--markdown a.md")
