"""A run's trace: one entry for each evaluation, plain numbers, and no tensors left behind."""

import gc
import json
import math
import weakref
from itertools import pairwise

import pytest
import torch

from mm_core.guidance.compositions import leave_one_out
from mm_core.guidance.plan import GuidancePlan
from mm_core.guidance.program import Program
from mm_core.guidance.trace import Trace
from mm_core.types import NULL, Modality, Moment, Row

A, B, AB = Row.of("a"), Row.of("b"), Row.of("ab")
PLAN = leave_one_out({"a": 3.0, "b": 2.0})


def see(trace, noise, at=2.0, following=1.0, plan=PLAN, fresh=None):
    """One evaluation of latents that are noise; returns (predictions, x, result)."""
    predictions = {row: noise(2, 4, 4, 4) for row in plan.rows}
    x, result = noise(2, 4, 4, 4), noise(2, 4, 4, 4)
    rows = plan.rows if fresh is None else fresh
    trace.see(Moment(0.25, at), following, plan, predictions, rows, x, result)
    return predictions, x, result


def half_square(difference):
    return float(difference.double().square().flatten(1).sum(1).mean()) / 2


def told(trace, subject="a"):
    return [t["information"] for s in trace.steps() for t in s["terms"] if t["subject"] == subject]


def test_an_entry_says_where_it_was_and_which_rows_were_run(noise):
    trace = Trace()
    see(trace, noise, fresh=(A, AB))
    (step,) = trace.steps()
    assert (step["progress"], step["noise"]) == (0.25, 2.0)
    assert (step["fresh"], step["kept"]) == (["a", "a+b"], ["b"])


def test_what_rests_on_a_kept_row_is_stale(noise):
    trace = Trace()
    see(trace, noise, fresh=(A, AB))
    stale = {t["subject"]: t["stale"] for t in trace.steps()[0]["terms"]}
    assert stale == {"a": True, "b": False}  # a is told from b's row, b from a's


def test_information_of_one_step_is_as_equation_15_says(noise):
    trace = Trace()
    rows, _, _ = see(trace, noise, at=2.0, following=0.5)
    expected = half_square(rows[AB] - rows[B]) * (1 + 1 / 4) * math.log((1 + 4) / (1 + 1 / 4))
    assert told(trace) == [pytest.approx(expected, rel=1e-4)]


def test_information_of_a_short_step_is_half_the_square_times_how_much_sharper_it_gets(noise):
    trace = Trace()
    rows, _, _ = see(trace, noise, at=1.0, following=0.99)
    expected = half_square(rows[AB] - rows[B]) * (1 / 0.99**2 - 1)
    assert told(trace) == [pytest.approx(expected, rel=0.006)]


@pytest.mark.parametrize(("steps", "off"), [(400, 0.02), (25, 0.3)])
def test_information_over_a_run_is_the_divergence_between_two_gaussians(noise, steps, off):
    # Of data N(0, 1) and N(m, 1) the denoised latents differ by m n^2 / (1 + n^2), wherever one is.
    trace, shift, plan = Trace(), noise(1, 4, 4, 4), leave_one_out({"a": 2.0})
    levels = [math.inf, *torch.logspace(2, -3, steps, dtype=torch.float64).tolist(), 0.0]
    for at, following in pairwise(levels):
        share = at**2 / (1 + at**2) if math.isfinite(at) else 1.0
        rows = {A: shift * share, NULL: shift * 0}
        trace.see(Moment(0.0, at), following, plan, rows, [A, NULL], rows[A], rows[A])
    kl = float(shift.square().sum()) / 2
    assert sum(v or 0 for v in told(trace)) == pytest.approx(kl, rel=off)


def test_a_flow_starts_at_infinite_noise_and_tells_nothing_at_the_end(noise):
    trace = Trace()
    rows, _, _ = see(trace, noise, at=math.inf, following=4.0)
    see(trace, noise, at=4.0, following=0.0)
    first, last = told(trace)
    assert first == pytest.approx(half_square(rows[AB] - rows[B]) * math.log(1 + 1 / 16), rel=1e-4)
    assert last is None
    assert trace.steps()[0]["noise"] is None


def test_a_stretch_of_noise_that_is_looked_at_twice_counts_once(noise):
    trace = Trace()
    see(trace, noise, at=4.0, following=2.0)
    rows, _, _ = see(trace, noise, at=3.0, following=1.0)  # halfway down the first stretch
    see(trace, noise, at=2.0, following=1.0)
    expected = half_square(rows[AB] - rows[B]) * (1 + 1 / 9) * math.log((1 + 1) / (1 + 1 / 4))
    assert told(trace)[1:] == [pytest.approx(expected, rel=1e-4), 0.0]


def test_noise_that_rises_after_the_end_tells_nothing_new(noise):
    trace = Trace()
    see(trace, noise, at=2.0, following=0.0)
    see(trace, noise, at=2.0, following=1.0)
    assert told(trace) == [None, 0.0]


def test_without_terms_there_is_no_push(noise):
    trace = Trace()
    see(trace, noise, plan=GuidancePlan(NULL))
    (step,) = trace.steps()
    assert (step["terms"], step["cosines"], step["relative_push"]) == ([], [], 0.0)
    assert step["fresh"] == ["null"]


def test_two_terms_of_one_subject_have_names_of_their_own(noise):
    trace = Trace()
    plan = GuidancePlan(NULL, (*leave_one_out({"a": 3.0}).terms, *PLAN.terms[:1]))
    see(trace, noise, plan=plan)
    assert [t["subject"] for t in trace.steps()[0]["terms"]] == ["a", "a 2"]


def test_entries_are_plain_json_whatever_was_predicted(noise):
    trace = Trace()
    see(trace, noise, at=math.inf)
    see(trace, lambda *shape: noise(*shape) * math.nan)
    see(trace, noise, at=1e-200, following=1e-210)
    first, broken, _ = json.loads(json.dumps(trace.steps(), allow_nan=False))
    assert first["terms"][0]["share"] > 0
    assert broken["terms"][0]["share"] is None


def test_the_newest_entry_is_given_while_the_run_goes_on(noise):
    trace = Trace()
    assert trace.latest() is None
    see(trace, noise, at=4.0, following=3.0)
    assert trace.latest()["noise"] == 4.0
    see(trace, noise, at=3.0)
    assert trace.latest()["noise"] == 3.0
    assert [s["noise"] for s in trace.steps()] == [4.0, 3.0]


def test_no_latents_are_held_between_evaluations(noise):
    trace = Trace()
    of = [weakref.ref(t) for t in (lambda p, x, r: [*p.values(), x, r])(*see(trace, noise))]
    gc.collect()
    assert [ref() for ref in of if ref() is not None] == []


def test_forgetting_lets_go_of_every_tensor_and_keeps_the_figures(noise):
    kept, forgotten = Trace(), Trace()
    for trace in (kept, forgotten):
        rng = torch.Generator().manual_seed(1)
        gains = torch.ones(2, 1, 1)
        plan = leave_one_out({"a": 3 * gains, "b": 2 * gains})
        see(trace, lambda *shape, rng=rng: torch.randn(*shape, generator=rng), plan=plan)
    forgotten.forget()
    assert tensors_in(kept) > 0
    assert tensors_in(forgotten) == 0
    assert forgotten.steps() == kept.steps()


def tensors_in(thing):
    """Tensors reachable from an object's own fields."""
    if isinstance(thing, torch.Tensor):
        return 1
    if isinstance(thing, dict):
        return sum(map(tensors_in, thing.values()))
    if isinstance(thing, list | tuple):
        return sum(map(tensors_in, thing))
    return sum(map(tensors_in, vars(thing).values())) if hasattr(thing, "__dict__") else 0


def test_figures_that_a_broken_device_holds_are_given_up(noise, monkeypatch):
    trace = Trace()
    see(trace, noise, at=4.0)
    trace.steps()
    see(trace, noise, at=3.0)

    def broken(products):
        raise RuntimeError("device lost")

    monkeypatch.setattr("mm_core.guidance.trace._numbers", broken)
    trace.forget()
    assert [s["noise"] for s in trace.steps()] == [4.0]


def test_images_with_plans_of_their_own_are_told_of_by_subject(noise):
    modalities = (Modality("a", (3.0, 0.0)), Modality("b", 2.0))
    plan, trace = Program(modalities).plan_at(0.5), Trace()
    rows, x, result = see(trace, noise, plan=plan)
    (step,) = trace.steps()

    def size(push):
        return float(push.double().square().sum().sqrt())

    by_hand = {
        "a": [2 * size(rows[AB][0] - rows[B][0]), 0.0],
        "b": [size(rows[AB][0] - rows[A][0]), size(rows[B][1] - rows[NULL][1])],
    }
    assert {t["subject"]: t["push"] for t in step["terms"]} == {
        name: pytest.approx(sum(pushes) / 2, rel=1e-4) for name, pushes in by_hand.items()
    }
    fullest = torch.stack([rows[AB][0], rows[B][1]])
    relative = [size(r - f) / size(n - f) for r, f, n in zip(result, fullest, x, strict=True)]
    assert step["relative_push"] == pytest.approx(sum(relative) / 2, rel=1e-4)
