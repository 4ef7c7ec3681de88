"""Which rows the planner asks for, and what it fills in for the others."""

import math

import pytest
import torch

from mm_core.errors import PlanError
from mm_core.guidance.compositions import compose
from mm_core.guidance.planner import BALANCED, EXACT, FARTHEST, FAST, SPACES, Effort, Planner
from mm_core.types import NULL, Row

PLAN = compose("leave_one_out", {"a": 3.0, "b": 2.0})
J, A, B = Row.of("ab"), Row.of("a"), Row.of("b")
LEVELS = [10.0, 8.0, 6.4, 5.1, 4.1, 3.3, 2.6, 2.1, 1.7, 1.3]


def drift(row, noise, x):
    """A network whose rows differ by something that turns slowly with the noise."""
    turn = {J: 0.0, A: 0.3, B: 0.5}.get(row, 0.7)
    return x.cos() + turn * noise / (1 + noise) * (x + 0.05 * math.log(noise)).sin()


def go(planner, plans=None, levels=LEVELS, network=drift, x=None):
    """(rows run, all predictions) of each evaluation."""
    x = torch.linspace(-1, 1, 24).view(2, 3, 2, 2) if x is None else x
    out = []
    for k, noise in enumerate(levels):
        plan = plans[k] if plans else PLAN
        following = levels[k + 1] if k + 1 < len(levels) else 0.0
        rows = planner.choose(plan, noise, following)
        fresh = {row: network(row, noise, x) for row in rows}
        out.append((rows, planner.complete(fresh, plan)))
    return out


def test_exact_runs_everything_and_changes_nothing():
    for (rows, found), noise in zip(go(Planner(EXACT)), LEVELS, strict=True):
        assert set(rows) == {J, A, B}
        x = torch.linspace(-1, 1, 24).view(2, 3, 2, 2)
        assert all(torch.equal(found[row], drift(row, noise, x)) for row in rows)


def test_the_reference_row_is_run_always_and_comes_last():
    for effort in (EXACT, BALANCED, FAST):
        assert all(rows[-1] == J for rows, _ in go(Planner(effort)))


def test_every_second_time_comes_after_the_warm_up():
    ran = [len(rows) for rows, _ in go(Planner(Effort(every=2)))]
    assert ran == [3, 3, 1, 3, 1, 3, 1, 3, 1, 3]


def test_fast_keeps_to_its_budget_of_a_run_in_four_evaluations_besides_the_warm_up():
    levels = [10 * 0.8**k for k in range(25)]
    ran = [len(rows) for rows, _ in go(Planner(FAST), levels=levels)]
    assert [k for k, rows in enumerate(ran) if rows == 3] == [0, 1, 3, 7, 11, 15, 19, 23]


def test_evaluations_without_guidance_save_up_budget():
    off = compose("leave_one_out", {"a": 1.0, "b": 1.0})
    levels = [10 * 0.8**k for k in range(24)]
    ran = [len(rows) for rows, _ in go(Planner(FAST), [off] * 12 + [PLAN] * 12, levels)]
    assert ran == [1] * 12 + [3, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]


def test_a_row_that_is_too_old_is_run_whatever_the_budget():
    ran = [len(rows) for rows, _ in go(Planner(Effort(every=2, budget=0.01, oldest=4)))]
    assert ran == [3, 3, 1, 1, 1, 1, 3, 1, 1, 1]


@pytest.mark.parametrize("factor", [0.05, 20.0])
def test_what_balanced_runs_does_not_depend_on_how_strong_guidance_is(factor):
    """The tolerance is a share of what guidance changes."""

    def network(row, noise, x):
        return drift(J, noise, x) + factor * (drift(row, noise, x) - drift(J, noise, x))

    levels = [10 * 0.8**k for k in range(25)]
    plain, other = (
        go(Planner(BALANCED), levels=levels),
        go(Planner(BALANCED), None, levels, network),
    )
    assert [rows for rows, _ in plain] == [rows for rows, _ in other]
    assert 25 < sum(len(rows) for rows, _ in plain) < 60


def test_balanced_saves_rows_and_is_close():
    planner, x = Planner(BALANCED), torch.linspace(-1, 1, 24).view(2, 3, 2, 2)
    made = go(planner)
    assert sum(len(rows) for rows, _ in made) < 0.8 * 3 * len(LEVELS)
    for (_, found), noise in zip(made, LEVELS, strict=True):
        for row in (A, B):
            off = (found[row] - drift(row, noise, x)).abs().max()
            assert off < 0.1 * (drift(row, noise, x) - drift(J, noise, x)).abs().max()


@pytest.mark.parametrize("space", SPACES)
def test_a_difference_that_is_constant_in_its_space_is_foreseen_exactly(space):
    def network(row, noise, x):
        return x + (0.0 if row == J else SPACES[space](noise) * x.sin())

    x = torch.linspace(-1, 1, 24).view(2, 3, 2, 2)
    planner = Planner(Effort(tolerance=0.5, space=space))
    made = go(planner, network=network, x=x)
    assert sum(len(rows) for rows, _ in made) == 3 * 2 + len(LEVELS) - 2
    for (_, found), noise in zip(made, LEVELS, strict=True):
        torch.testing.assert_close(found[A], network(A, noise, x))


def test_a_row_is_run_again_before_it_is_too_old():
    flat = Planner(Effort(tolerance=1e9, oldest=3))
    ran = [len(rows) for rows, _ in go(flat)]
    assert ran == [3, 3, 1, 1, 1, 3, 1, 1, 1, 3]


def test_noise_that_rises_starts_over():
    levels = [*LEVELS[:5], *LEVELS[:3]]
    ran = [len(rows) for rows, _ in go(Planner(Effort(tolerance=1e9)), levels=levels)]
    assert ran == [3, 3, 1, 1, 1, 3, 3, 1]


def test_a_level_that_is_seen_twice_does_not_hide_the_slope():
    """Correctors evaluate at one level twice; rows must still be run as the differences change."""
    twice = [noise for noise in LEVELS for _ in range(2)]
    planner = Planner(BALANCED)
    made = go(planner, levels=twice)
    assert sum(len(rows) for rows, _ in made) > len(twice) + 4
    assert sum(s.spent for s in planner.steps) > 0


def test_levels_beyond_the_farthest_add_no_negative_error():
    planner = Planner(BALANCED)
    go(planner, levels=[900.0, 700.0, 400.0, 250.0, 120.0, 60.0])
    assert all(s.spent >= 0 and s.audited >= 0 for s in planner.steps)


def test_forgetting_keeps_what_was_counted():
    planner = Planner(FAST)
    go(planner)
    planner.forget()
    assert len(planner.steps) == len(LEVELS)
    assert planner._kept == {}


def test_a_row_whose_weight_changes_much_is_run():
    other = compose("leave_one_out", {"a": 9.0, "b": 2.0})
    plans = [PLAN] * 4 + [other] * 6
    made = go(Planner(Effort(tolerance=1e9)), plans)
    assert [set(rows) for rows, _ in made[3:6]] == [{J}, {J, B}, {J}]  # row b is J without a


def test_a_row_that_was_away_is_warmed_up_again():
    short = compose("leave_one_out", {"a": 3.0, "b": 1.0})
    plans = [PLAN] * 3 + [short] * 3 + [PLAN] * 4
    made = go(Planner(Effort(tolerance=1e9)), plans)
    assert [len(rows) for rows, _ in made] == [3, 3, 1, 1, 1, 1, 2, 2, 1, 1]


def test_a_surprise_makes_everything_run_again():
    def network(row, noise, x):
        jump = 9.0 if noise < 4 and row == A else 0.0
        return x.cos() + (0.0 if row == J else noise * x.sin() + jump)

    made = go(Planner(Effort(tolerance=0.02, oldest=4)), network=network)
    ran = [len(rows) for rows, _ in made]
    assert 3 in ran[5:]
    at = ran.index(3, 5)
    assert ran[at + 1 : at + 3] == [3, 3]


def test_the_start_of_a_flow_where_noise_is_all_there_is_does_not_break_it():
    levels = [math.inf, 24.0, 11.5, 7.3, 5.2]
    for rows, found in go(Planner(BALANCED), levels=levels, network=lambda r, n, x: x.cos()):
        assert J in rows
        assert all(torch.isfinite(p).all() for p in found.values())
    assert FARTHEST > 24


def test_every_composition_can_be_planned():
    for name in ("independent", "chained", "nested", "joint", "perp_neg"):
        weights = {"a": 3.0, "b": -2.0 if name == "perp_neg" else 2.0}
        plan = compose(name, weights)
        for rows, found in go(Planner(BALANCED), [plan] * len(LEVELS)):
            assert set(found) == set(plan.rows)
            assert set(rows) <= set(plan.rows)


def test_errors_that_were_foreseen_and_found_are_told():
    planner = Planner(BALANCED)
    go(planner)
    assert [s.noise for s in planner.steps] == LEVELS
    assert sum(s.spent for s in planner.steps) > 0
    assert sum(s.audited for s in planner.steps) > 0
    assert all(len(s.fresh) + len(s.kept) == 3 for s in planner.steps)


def test_one_modality_alone_is_kept_too():
    plan = compose("leave_one_out", {"a": 7.0})
    made = go(Planner(FAST), [plan] * len(LEVELS))
    assert set(made[2][0]) == {Row.of("a")}
    assert set(made[2][1]) == {Row.of("a"), NULL}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"space": "score"}, r"no space 'score'; choose from \['x0', "),
        ({"tolerance": -0.1}, "the tolerance is -0.1; it must be 0 or more"),
        ({"budget": -0.1}, "the budget is -0.1; it must be 0 or more"),
    ],
)
def test_what_is_no_effort_is_refused(settings, words):
    with pytest.raises(PlanError, match=words):
        Effort(**settings)
