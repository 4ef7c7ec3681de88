"""The table of priors in a document."""

import pytest

from mm_core.errors import InputError
from mm_core.evaluation.bench.priors_table import BEGIN, TABLES, check, insert, ways
from mm_core.evaluation.markdown import END


def figure(value):
    return {"value": value, "interval": 0.01, "n": 9}


FOUND = {
    "threads": 1,
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


RESULT = {"command": "mmc bench prior --n 8", "parts": {"ways": FOUND}}
MEASURES = {"text_color": figure(0.9), "style_palette_mae": figure(0.1)}
MORE = {"text_color": figure(-0.02), "style_palette_mae": figure(0.03)}
WORDS = {
    "scenes": 8,
    "steps": 16,
    "weights": {"text": 3.0, "style": 2.5},
    "ways": [
        {"name": "alone", "measures": MEASURES, "more": {}},
        {"name": "prior", "measures": MEASURES, "more": {"alone": MORE}},
    ],
}
VARIED = {
    "pictures": 8,
    "steps": 16,
    "lines": [
        {"name": "itself", "measures": MEASURES, "silhouette": figure(1.0), "psnr": figure(38.04)},
        {
            "name": "denoise 0.5",
            "measures": MEASURES,
            "more": MORE,
            "silhouette": figure(0.8),
            "psnr": figure(25.31),
            "psnr_between": figure(24.96),
        },
    ],
}
MIXED = {
    "pairs": 2,
    "ways": [{"name": "slerp", "largest": figure(0.25), "forward": figure(0.9)}],
    "words": [
        {
            "name": "text difference",
            "farthest": 0.5,
            "before": figure(0.0),
            "after": figure(0.2),
            "palette_before": figure(0.04),
            "palette_after": figure(0.06),
        }
    ],
}


def test_every_figure_is_in_its_place():
    said = ways(FOUND)
    row = (
        "| diffusion | 0.612 ±0.010 | +0.300 ±0.010 | -0.050 ±0.010 | 1.04 | 12.3 | 0.750 ±0.010 |"
    )
    assert row + " 0.090 ±0.010 | 41 |" in said
    assert "| true embedding | 1.000 |  |  | 1.00 |" in said
    assert "- *diffusion*: 25 steps" in said
    assert "pair by pair: diffusion +0.012 ±0.010; other -0.020 ±0.010." in said
    assert said.startswith("8 held-out captions")
    assert "three calls on one thread." in said
    assert "three calls on 4 threads." in ways(FOUND | {"threads": 4})


@pytest.mark.parametrize(
    ("part", "found", "rows"),
    [
        ("words", WORDS, ["| way | colour | palette error |", "| prior | 0.900 ±0.010 | 0.100",
                          "| prior | alone | -0.020 ±0.010 | +0.030 ±0.010 |"]),
        ("variations", VARIED, ["| itself | 0.900 ±0.010 | 0.100 ±0.010 | 1.000 ±0.010 | 38.0 ±0.0",
                                "| 25.3 ±0.0 | 25.0 ±0.0 |",
                                "| denoise 0.5 | -0.020 ±0.010 | +0.030 ±0.010 |"]),
        ("mixes", MIXED, ["| slerp | 0.250 ±0.010 | 0.900 ±0.010 |",
                          "| text difference | 0.5 | 0.000 ±0.010 | 0.200 ±0.010 | 0.040"]),
    ],
)  # fmt: skip
def test_each_part_has_its_tables_with_rows_as_wide_as_their_heads(part, found, rows):
    said = TABLES[part](found)
    for row in rows:
        assert row in said
    for block in said.split("\n\n"):
        widths = {line.count("|") for line in block.splitlines() if line.startswith("|")}
        assert len(widths) <= 1


def test_tables_go_between_their_marks_and_nowhere_else():
    document = f"before\n{BEGIN['ways']}\nold\n{END}\nafter\n{BEGIN['mixes']}\nkept\n{END}\n"
    said = insert(document, RESULT)
    assert said.startswith(f"before\n{BEGIN['ways']}\n\n`mmc bench prior --n 8`")
    assert said.endswith(f"{END}\nafter\n{BEGIN['mixes']}\nkept\n{END}\n")
    assert "old" not in said
    assert insert(said, RESULT) == said
    both = insert(said, {"command": "mmc c", "parts": {"ways": FOUND, "mixes": MIXED}})
    assert "kept" not in both
    assert both.count("`mmc c`") == 2


def test_a_document_without_marks_is_refused():
    with pytest.raises(InputError, match=r"--markdown a\.md lacks the lines '<!-- bench: prior wo"):
        check(f"{BEGIN['ways']}{END}", ["ways", "words"], "--markdown a.md")
