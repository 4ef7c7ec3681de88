"""The published formulas, as their papers print them, in float64."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mm_core.errors import PlanError
from mm_core.guidance.algebra import combine
from mm_core.guidance.compositions import (
    COMPOSITIONS,
    chained,
    compose,
    independent,
    joint,
    leave_one_out,
    nested,
    set_pair,
    weighted_negative,
)
from mm_core.types import NULL, Row

NAMES = "abc"
SUBSETS = ["".join(s) for k in range(4) for s in itertools.combinations(NAMES, k)]
each_composition = pytest.mark.parametrize("composition", COMPOSITIONS)
some_weights = st.dictionaries(st.sampled_from("abcdef"), st.floats(-20, 20), max_size=6)

# D["ab"] is the prediction that sees a and b, D[""] the one that sees nothing.
FORMULAS = {
    "leave one out of one": (
        leave_one_out,
        {"a": 7.5},
        lambda D: D["a"] + 6.5 * (D["a"] - D[""]),
    ),
    "leave one out of two": (
        leave_one_out,
        {"a": 3.0, "b": 0.5},
        lambda D: D["ab"] + 2.0 * (D["ab"] - D["b"]) - 0.5 * (D["ab"] - D["a"]),
    ),
    "leave one out of three": (
        leave_one_out,
        {"a": 3.0, "b": -1.0, "c": 2.5},
        lambda D: (
            D["abc"]
            + 2.0 * (D["abc"] - D["bc"])
            - 2.0 * (D["abc"] - D["ac"])
            + 1.5 * (D["abc"] - D["ab"])
        ),
    ),
    "independent, one": (
        independent,
        {"a": 7.5},
        lambda D: D[""] + 7.5 * (D["a"] - D[""]),
    ),
    "independent, two": (
        independent,
        {"a": 3.0, "b": -1.0},
        lambda D: D[""] + 3.0 * (D["a"] - D[""]) - 1.0 * (D["b"] - D[""]),
    ),
    "independent, three": (
        independent,
        {"a": 3.0, "b": -1.0, "c": 0.25},
        lambda D: D[""] + 3.0 * (D["a"] - D[""]) - 1.0 * (D["b"] - D[""]) + 0.25 * (D["c"] - D[""]),
    ),
    "chained, one": (chained, {"a": 7.5}, lambda D: D[""] + 7.5 * (D["a"] - D[""])),
    "chained, two": (
        chained,
        {"b": 1.5, "a": 7.5},
        lambda D: D[""] + 1.5 * (D["b"] - D[""]) + 7.5 * (D["ab"] - D["b"]),
    ),
    "chained, three": (
        chained,
        {"c": 1.5, "a": 7.5, "b": -2.0},
        lambda D: (
            D[""] + 1.5 * (D["c"] - D[""]) + 7.5 * (D["ac"] - D["c"]) - 2.0 * (D["abc"] - D["ac"])
        ),
    ),
    "nested, one": (nested, {"a": 7.5}, lambda D: D[""] + 7.5 * (D["a"] - D[""])),
    "nested, two": (
        nested,
        {"a": 1.5, "b": 4.0},
        lambda D: D[""] + 1.5 * ((D["a"] + 4.0 * (D["ab"] - D["a"])) - D[""]),
    ),
    "nested, three": (
        nested,
        {"a": 1.5, "b": 4.0, "c": -0.5},
        lambda D: (
            D[""]
            + 1.5 * ((D["a"] + 4.0 * ((D["ab"] - 0.5 * (D["abc"] - D["ab"])) - D["a"])) - D[""])
        ),
    ),
    "joint, one": (joint, {"a": 7.5}, lambda D: D[""] + 7.5 * (D["a"] - D[""])),
    "joint, two": (joint, {"a": 3.0, "b": 6.0}, lambda D: D[""] + 4.5 * (D["ab"] - D[""])),
    "joint, three": (
        joint,
        {"a": 3.0, "b": 6.0, "c": -3.0},
        lambda D: D[""] + 2.0 * (D["abc"] - D[""]),
    ),
}


@pytest.fixture
def said(noise):
    """What the network says of every subset of three modalities."""
    return {subset: noise(2, 3, 4, dtype=torch.float64) for subset in SUBSETS}


def by_row(said):
    return {Row.of(subset): prediction for subset, prediction in said.items()}


@pytest.mark.parametrize(
    ("composition", "weights", "formula"), FORMULAS.values(), ids=FORMULAS.keys()
)
def test_matches_the_paper(said, composition, weights, formula):
    torch.testing.assert_close(combine(by_row(said), composition(weights)), formula(said))


def test_every_composition_is_compared_with_its_paper():
    elsewhere = {"weighted_negative", "perp_neg"}  # below, and in test_algebra.py
    assert {f.__name__ for f, _, _ in FORMULAS.values()} == set(COMPOSITIONS) - elsewhere


def test_the_weighted_negative_has_one_row_of_strengths(said):
    plan = weighted_negative({"a": 3.0, "b": 0.5, "c": 1.0})
    mixed = Row.of({"a": 0.0, "b": 1.25, "c": 1.0})
    assert plan.coefficients == {Row.of("abc"): 3.0, mixed: -2.0}


@given(w=st.floats(-20, 20).filter(lambda w: abs(w - 1) > 1e-3))
def test_the_weighted_negative_of_one_weight_is_leave_one_out_and_of_equal_ones_joint(w):
    one = {"a": w, "b": 1.0, "c": 1.0}
    assert weighted_negative(one).coefficients == pytest.approx(leave_one_out(one).coefficients)
    equal = dict.fromkeys("abc", w)
    if w != 0:
        assert weighted_negative(equal).coefficients == pytest.approx(joint(equal).coefficients)


def test_what_has_no_strengths_gets_a_row_of_its_own():
    plan = weighted_negative({"a": 3.0, "b": 2.0, "c": 4.0}, fixed=["c"])
    mixed = Row.of({"a": 0.0, "b": 0.5, "c": 1.0})
    rows = {Row.of("abc"): 1 + 2 + 3, mixed: -2.0, Row.of("ab"): -3.0}
    assert plan.coefficients == pytest.approx(rows)


def test_the_weighted_negative_is_leave_one_out_to_first_order():
    """A network that is linear in the strengths is where both must agree."""
    push = {"a": 0.7, "b": -0.3, "c": 1.1}

    def predict(row):
        return sum(row.strength(name) * value for name, value in push.items())

    weights = {"a": 3.0, "b": 1.5, "c": 0.5}

    def result(plan):
        return sum(c * predict(row) for row, c in plan.coefficients.items())

    assert result(weighted_negative(weights)) == pytest.approx(result(leave_one_out(weights)))


@pytest.mark.parametrize("composition", ["leave_one_out", "independent", "chained", "nested"])
def test_a_group_is_kept_and_dropped_as_one(composition):
    """The formula of two units, with b and c in the place of the second."""
    whole = compose(composition, {"a": 3.0, ("b", "c"): 2.0}).coefficients
    single = compose(composition, {"a": 3.0, "b": 2.0}).coefficients

    def grown(row):
        return Row.of({*row.names, *("c" if "b" in row.names else "")})

    assert whole == pytest.approx({grown(row): c for row, c in single.items()})


def test_a_draft_sees_what_has_no_strengths_as_it_is():
    plan = compose("strengths", {"a": 3.0, "b": 0.5}, fixed=["a"])
    assert plan.coefficients == {Row.of({"a": 1.0, "b": 0.5}): 1.0}


def test_a_pair_of_sets_pushes_what_only_the_first_has(said):
    plan = set_pair("ab", "bc", 4.0)
    expected = said["ab"] + 4.0 * (said["ab"] - said["bc"])
    torch.testing.assert_close(combine(by_row(said), plan), expected)


def test_perp_neg_needs_something_to_push_across():
    with pytest.raises(PlanError, match="needs an input of positive weight"):
        compose("perp_neg", {"a": -2.0})


def test_perp_neg_refuses_weights_that_vary():
    with pytest.raises(PlanError, match=r"one weight for all images and places; \['b'\] vary"):
        compose("perp_neg", {"a": 2.0, "b": torch.tensor([[[1.0]], [[2.0]]])})


@each_composition
@given(weights=some_weights)
def test_coefficients_sum_to_one(composition, weights):
    if composition == "perp_neg" and not any(w > 1e-6 for w in weights.values()):
        return  # refused
    coefficients = compose(composition, weights).coefficients.values()
    rounding = 1e-8 * (1 + max(abs(c) for c in coefficients))  # and what is too small to run
    assert abs(sum(coefficients) - 1) < rounding


@each_composition
@given(w=st.floats(-20, 20).filter(lambda w: w not in (0, 1)))
def test_one_modality_is_classifier_free_guidance(composition, w):
    if composition == "perp_neg" and w < 0:
        return  # refused
    expected = {Row.of("a"): w, NULL: 1 - w}
    kept = {row: c for row, c in expected.items() if abs(c) > 1e-9}
    assert compose(composition, {"a": w}).coefficients == pytest.approx(kept)


@each_composition
def test_no_modality_is_the_bare_model(composition):
    assert compose(composition, {}).coefficients == {NULL: 1.0}


@each_composition
def test_a_modality_of_weight_0_is_in_no_row(composition):
    plan = compose(composition, {"a": 2.0, "b": 0.0, "c": 3.0})
    assert not any("b" in row.names for row in plan.rows)


@each_composition
def test_a_modality_of_weight_0_is_as_good_as_none(composition):
    without = compose(composition, {"a": 2.0, "c": 3.0})
    assert compose(composition, {"a": 2.0, "b": 0.0, "c": 3.0}) == without


@given(weights=some_weights, random=st.randoms())
def test_leave_one_out_does_not_depend_on_order(weights, random):
    shuffled = list(weights.items())
    random.shuffle(shuffled)
    there, here = leave_one_out(weights).coefficients, leave_one_out(dict(shuffled)).coefficients
    assert here == pytest.approx(there)


def test_chained_depends_on_order():
    assert chained({"a": 2.0, "b": 3.0}).rows != chained({"b": 3.0, "a": 2.0}).rows


@pytest.mark.parametrize("names", ["ab", "abc", "abcdef"])
def test_a_chain_of_equal_weights_is_joint_and_runs_two_rows(names):
    equal = dict.fromkeys(names, 2.5)
    assert chained(equal).coefficients == {Row.of(names): 2.5, NULL: -1.5}
    assert joint(equal).coefficients == {Row.of(names): 2.5, NULL: -1.5}


@pytest.mark.parametrize("names", ["a", "ab", "abcdef"])
@pytest.mark.parametrize("composition", ["leave_one_out", "chained", "nested", "joint"])
def test_weights_of_1_cost_one_row(composition, names):
    assert compose(composition, dict.fromkeys(names, 1.0)).coefficients == {Row.of(names): 1.0}


def test_leave_one_out_costs_a_row_for_each_weight_that_is_not_1():
    plan = leave_one_out({"a": 2.0, "b": 1.0, "c": 0.5})
    assert set(plan.rows) == {Row.of("abc"), Row.of("bc"), Row.of("ab")}


def test_an_unknown_composition_is_refused_with_the_list():
    with pytest.raises(PlanError, match=r"no composition 'sum'; choose from \['leave_one_out', "):
        compose("sum", {"a": 1.0})
