"""Runs over held-out scenes: bounds, cost, and what each section asks."""

import pytest

from mm_core.embedded.generate import Settings
from mm_core.embedded.model import MODALITIES
from mm_core.evaluation.measures import BETTER
from mm_core.evaluation.suite import SECTIONS, Run, Suite, all_at
from mm_core.guidance.compositions import COMPOSITIONS


@pytest.fixture(scope="module")
def said():
    return []


@pytest.fixture(scope="module")
def suite(shipped, oracle, said):
    return Suite(shipped, oracle, 24, (900_000, 901_000), Settings(steps=1), said.append)


@pytest.fixture(scope="module")
def result(suite):
    return suite.run(Run("main", "text and depth", {"text": 3.0, "depth": 1.5}))


def test_the_ceiling_is_above_chance_in_every_measure(suite):
    ceiling, chance = suite.ceiling(), suite.chance()
    assert ceiling.keys() == BETTER.keys()
    for name, better in BETTER.items():
        gain = ceiling[name]["value"] - chance[name]["value"]
        assert (gain if better == "higher" else -gain) > 0.05


def test_a_run_tells_every_measure_its_cost_and_its_distance(result):
    assert result["measures"].keys() == BETTER.keys()
    assert result["measures"]["style_family"]["n"] == 48  # 24 scenes of two seeds
    assert result["rows_per_evaluation"] == 3
    assert result["frechet"] > 0
    assert result["weights"] == {"text": 3.0, "depth": 1.5}


def test_a_run_is_reported_in_one_line(result, said):
    (line,) = [x for x in said if "text and depth" in x]
    assert line.startswith("main: text and depth: text_color 0.")
    assert line.endswith("| 3.0 rows")


def test_a_run_repeated_measures_the_same(suite, result):
    again = suite.run(Run("main", "text and depth", {"text": 3.0, "depth": 1.5}))
    assert again["measures"] == result["measures"]
    assert again["frechet"] == result["frechet"]


def test_a_swapped_run_measures_against_the_swapped_truth(suite, result):
    swapped = suite.run(Run("main", "swapped", result["weights"], swapped=True))
    assert swapped["measures"] != result["measures"]
    assert swapped["measures"]["shirt"]["n"] == result["measures"]["shirt"]["n"]


@pytest.mark.parametrize("section", SECTIONS)
def test_the_runs_of_a_section_have_names_of_their_own_and_known_inputs(section):
    runs = SECTIONS[section]()
    assert len({r.name for r in runs}) == len(runs)
    assert {r.section for r in runs} == {section}
    assert all(set(r.weights) <= set(MODALITIES) for r in runs)


def test_every_composition_is_compared():
    assert {r.composition for r in SECTIONS["compositions"]()} == set(COMPOSITIONS)


def test_a_sweep_moves_one_weight_and_leaves_the_others_at_1():
    for run in SECTIONS["sweep"]():
        name, level = run.name.split(",")[0].split()
        assert run.weights[name] == float(level)
        assert all(w == 1 for other, w in run.weights.items() if other != name)


def test_all_at_is_the_same_weight_for_every_name():
    assert all_at(2.0) == dict.fromkeys(MODALITIES, 2.0)
    assert all_at(2.0, ["a"]) == {"a": 2.0}
