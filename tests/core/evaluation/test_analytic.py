"""The exact world against brute force, and what it shows of compositions and the planner."""

import pytest
import torch

from mm_core.evaluation.analytic import SIDE, energy_distance, euler, make_world
from mm_core.guidance.algebra import combine
from mm_core.guidance.planner import BALANCED, EXACT, FAST, Effort, Planner
from mm_core.guidance.program import Program
from mm_core.guidance.schedule import Schedule
from mm_core.types import NULL, Modality, Moment, Row

WORLDS = {2: (1, (6,)), 3: (2, (6,)), 4: (2, (6, 4)), 6: (3, (6, 4, 5))}
STEPS, SAMPLES = 30, 48
BAND = Schedule("band", low=0.2, high=5.0)
each_count = pytest.mark.parametrize("count", WORLDS)


def levels(steps=STEPS):
    """Karras et al. 2022 from 40 to 0.02, then 0."""
    ramp = torch.linspace(0, 1, steps, dtype=torch.float64)
    high, low = 40.0 ** (1 / 7), 0.02 ** (1 / 7)
    return torch.cat([(high + ramp * (low - high)) ** 7, torch.zeros(1, dtype=torch.float64)])


def start(samples=SAMPLES):
    rng = torch.Generator().manual_seed(5)
    return 40.0 * torch.randn(samples, SIDE, generator=rng, dtype=torch.float64)


def sample(world, program, effort=EXACT, samples=SAMPLES, steps=STEPS):
    """The finished samples, and the rows per step."""
    planner = Planner(effort)

    def denoise(x, noise, following):
        plan = program.plan_at(Moment(0.5, noise))
        rows = planner.choose(plan, noise, following)
        fresh = {row: world.denoise(x, noise, row) for row in rows}
        return combine(planner.complete(fresh, plan), plan)

    found = euler(denoise, start(samples), levels(steps))
    return found, sum(len(s.fresh) for s in planner.steps) / steps


def pushed(world, composition="leave_one_out", weight=2.0, schedule=BAND):
    return Program(tuple(Modality(n, weight, schedule=schedule) for n in world.names), composition)


def off(found, wanted):
    """Root mean square difference as a share of the spread."""
    return float((found - wanted).square().mean().sqrt() / wanted.std())


@pytest.mark.parametrize("noise", [0.3, 2.0])
def test_a_prediction_is_the_mean_over_many_weighted_draws(noise):
    world = make_world(1, (2,), seed=3)
    row = Row.of({"label 0": 1.0, "reading 0": 0.5})
    rng = torch.Generator().manual_seed(1)
    posterior = world.posterior(row)
    draws = posterior.draw(200_000, rng)
    x = draws[:1] + 3 * noise * torch.randn(1, SIDE, generator=rng, dtype=torch.float64) / 8
    likely = torch.softmax(-((draws - x) ** 2).sum(1) / (2 * (8 * noise) ** 2), 0)
    expected = (likely[:, None] * draws).sum(0)
    torch.testing.assert_close(world.denoise(x, 8 * noise, row)[0], expected, rtol=0, atol=0.05)


def test_without_noise_the_prediction_is_the_point_itself():
    world = make_world(2, (4,), seed=3)
    x = torch.randn(3, SIDE, dtype=torch.float64)
    torch.testing.assert_close(world.denoise(x, 1e-6, world.everything), x, rtol=0, atol=1e-4)


def test_strength_0_is_absence():
    world = make_world(2, (4,), seed=3)
    assert Row.of({"label 0": 0.0}) == NULL
    weak = world.denoise(start(), 3.0, Row.of({"reading 0": 1e-9}))
    torch.testing.assert_close(weak, world.denoise(start(), 3.0, NULL), rtol=0, atol=1e-6)


def test_the_distance_of_two_draws_of_one_world_is_nothing_and_of_two_worlds_something():
    one, other = make_world(2, (4,), seed=3), make_world(2, (4,), seed=4)
    assert abs(energy_distance(one.truth(400, 1), one.truth(400, 2))) < 0.02
    assert energy_distance(one.truth(400, 1), other.truth(400, 1)) > 0.5


@each_count
def test_leave_one_out_comes_closer_to_the_truth_than_independent_guidance(count):
    """Each at the weight that suits it best."""
    distance = dict.fromkeys(("leave_one_out", "independent"), 0.0)
    for observed in range(100, 103):
        world = make_world(*WORLDS[count], seed=1, observed=observed)
        truth = world.truth(128, seed=9)
        for name in distance:
            found = [
                energy_distance(
                    sample(world, pushed(world, name, w, None), samples=64, steps=15)[0], truth
                )
                for w in ((1.0, 1.5, 2.0) if name == "leave_one_out" else (1.0, 1.25, 1.5))
            ]
            distance[name] += min(found)
    assert distance["leave_one_out"] < distance["independent"]


@each_count
def test_balanced_runs_few_rows_and_stays_within_a_hundredth(count):
    most = {2: 1.4, 3: 1.7, 4: 1.8, 6: 2.2}[count]
    naive = {2: 1.8, 3: 2.2, 4: 2.6, 6: 3.4}[count]
    errors, rows = [], []
    for observed in range(100, 103):
        world = make_world(*WORLDS[count], seed=1, observed=observed)
        program = pushed(world)
        exact, all_rows = sample(world, program)
        found, some_rows = sample(world, program, BALANCED)
        errors.append(off(found, exact))
        rows.append(some_rows)
        assert all_rows == pytest.approx(naive)
    assert sum(rows) / 3 <= most
    assert sum(errors) / 3 <= 0.01


@each_count
def test_fast_runs_one_mixed_row_at_every_second_step_that_is_guided(count):
    errors = []
    for observed in range(100, 103):
        world = make_world(*WORLDS[count], seed=1, observed=observed)
        program = pushed(world, "weighted_negative")
        exact, _ = sample(world, program)
        found, rows = sample(world, program, FAST)
        errors.append(off(found, exact))
        assert rows <= 37 / 30  # naive leave-one-out: a row for each input more
    assert sum(errors) / 3 <= 0.005


def test_less_tolerance_means_more_rows_and_none_is_exact():
    world = make_world(*WORLDS[4], seed=1, observed=100)
    program = pushed(world)
    exact, most = sample(world, program)
    rows = [sample(world, program, Effort(tolerance=t))[1] for t in (0.1, 0.01, 0.001)]
    assert rows[0] < rows[1] < rows[2] < most
    assert torch.equal(sample(world, program, Effort(tolerance=0.0))[0], exact)
