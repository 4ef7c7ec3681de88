"""A plan counts each row once and forgets rows that cancel."""

import pytest

from mm_core.errors import PlanError
from mm_core.guidance.plan import GuidancePlan, Term
from mm_core.types import NULL, Row

A, B = Row.of("a"), Row.of("b")


def test_terms_that_share_a_row_are_one_row():
    plan = GuidancePlan(NULL, (Term(A, NULL, 2.0), Term(B, NULL, 3.0)))
    assert plan.coefficients == {NULL: -4.0, A: 2.0, B: 3.0}


def test_a_row_that_cancels_is_not_run():
    plan = GuidancePlan(NULL, (Term(A, NULL, 1.0), Term(B, A, 1.0)))
    assert plan.rows == (B,)


def test_a_row_that_cancels_up_to_rounding_is_not_run():
    plan = GuidancePlan(NULL, (Term(A, NULL, 0.1), Term(A, NULL, 0.2), Term(B, A, 0.3)))
    assert 0.1 + 0.2 - 0.3 != 0
    assert set(plan.rows) == {NULL, B}


def test_a_term_of_weight_0_is_not_run():
    assert GuidancePlan(NULL, (Term(A, B, 0.0),)).rows == (NULL,)


def test_select_leaves_out_what_the_plan_does_not_need():
    plan = GuidancePlan(NULL, (Term(A, NULL, 2.0),))
    assert plan.select({NULL: "nothing", A: "a", B: "b"}) == {NULL: "nothing", A: "a"}


def test_select_names_what_is_missing_and_what_is_there():
    plan = GuidancePlan(NULL, (Term(Row.of("ab"), NULL, 2.0),))
    with pytest.raises(PlanError, match=r"needs the rows \['a\+b'\]; there are \['b', 'null'\]"):
        plan.select({NULL: 0, B: 0})
