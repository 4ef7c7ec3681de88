"""Figures as tables between the marks of their part."""

import pytest

from mm_core.errors import InputError
from mm_core.evaluation.bench.methods import MEANING
from mm_core.evaluation.bench.tables import begin, check, image_prompts, insert, meanings
from mm_core.evaluation.markdown import END

WORLD = {"inputs": 2, "method": "fast", "rows": 1.234, "error": 0.00456, "distance": 0.0171}
MODEL = {
    "method": "fast", "rows": 1.32, "calls": 1.0, "psnr": 33.36, "psnr_worst_tenth": 30.0,
    "psnr_own": None, "effect": 0.251, "adherence": 97.28, "difference": (-0.123, 0.3),
}  # fmt: skip
RESULT = {
    "command": "mmc bench guidance",
    "parts": {
        "oracle": {"steps": 30, "methods": [WORLD, {**WORLD, "inputs": 6}]},
        "embedded": {
            "scenes": 8, "groups": 1, "steps": 25, "inputs": ["text"], "methods": [MODEL],
            "spaces": [{"space": "eps", "changes": {1: {"text": 0.1}, 2: {"text": 0.25}},
                        "paced": {2: 45.0, 3: 38.04}}],
            "times": {"fast": (0.7, 0.65, 0.8)}, "repeats": 5,
        },
        "comfyui": {
            "time, ours over core": 1.0123, "calls": 2,
            "three inputs": {"steps": 12, "methods": [{"method": "ours: fast", "rows": 1.417}]},
        },
        "image_prompts": {
            "peer": "Pack 2.0 (0a1b)", "million parameters": 860,
            "tables": [{"about": "Counted.", "lines": [
                {"": "ours", "calls": 0.0}, {"": "theirs", "calls": 15.0, "error": 1.234e-7},
            ]}],
        },
    },
}  # fmt: skip
DOCUMENT = "Before.\n" + "".join(f"{begin(p)}\nold\n{END}\nbetween\n" for p in RESULT["parts"])


def test_each_part_replaces_what_stood_between_its_marks():
    made = insert(DOCUMENT, RESULT)
    assert made.startswith("Before.\n")
    assert made.count("between") == 4
    assert "old" not in made
    assert "| fast | 1.23 | 1.23 | 0.46% | 0.46% | 0.017 | 0.017 |" in made
    line = "| fast | 1.32 | 1.00 | 33.4 dB | 30.0 dB | same | 25% | 97.28 | -0.12 ±0.30 |"
    assert line in made
    assert "| eps | 0.10 / 0.25 | 45.0 dB | 38.0 dB |" in made
    assert "| fast | 0.70 (0.65 to 0.80) |" in made
    assert "| time, ours over core | 1.01 |" in made
    assert "two ControlNets, 12 steps of euler" in made
    assert "| ours: fast | 1.42 |" in made
    assert made.count("`mmc bench guidance`") == 4
    assert "Ours beside Pack 2.0 (0a1b); 860 million" in made
    assert "Counted.\n\n|  | calls | error |\n| --- | --- | --- |\n| ours | 0 |  |\n" in made
    assert "| theirs | 15 | 1.23e-07 |" in made


def test_figures_of_ours_alone_say_so():
    alone = {**RESULT["parts"]["image_prompts"], "peer": None}
    assert image_prompts(alone).startswith("Ours alone: no other pack was given by --peer; 860 ")


def test_inserting_twice_changes_nothing_more():
    once = insert(DOCUMENT, RESULT)
    assert insert(once, RESULT) == once


def test_a_document_without_the_marks_of_a_part_is_refused_by_name():
    check(DOCUMENT, ["oracle", "comfyui"], "a.md")
    with pytest.raises(InputError, match=r"a\.md lacks the lines '<!-- bench: embedded -->'"):
        check("nothing", ["embedded"], "a.md")


def test_every_method_has_a_line_that_says_what_it_is():
    assert meanings().count("\n") == len(MEANING)
