"""Corrections against their papers' formulas, written out for one image in float64."""

import pytest
import torch

from mm_core.errors import PlanError
from mm_core.guidance.corrections import (
    CORRECTIONS,
    Correction,
    Guided,
    Memory,
    correct,
    corrected,
)
from mm_core.guidance.program import Program
from mm_core.types import Modality

each_kind = pytest.mark.parametrize("kind", CORRECTIONS)


@pytest.fixture
def guided(noise):
    cond, uncond, x = (noise(3, 2, 4, 4, dtype=torch.float64) for _ in range(3))
    scale = 4.0
    return Guided(uncond + scale * (cond - uncond), cond, uncond, scale, x, 0.7)


def found(kind, guided, memory=None, **settings):
    return correct(Correction(kind, **settings), guided, memory or Memory())


def images(guided):
    """The same, one image at a time and without a batch axis."""
    for k in range(len(guided.x)):
        yield guided.result[k], guided.cond[k], guided.uncond[k], guided.x[k]


def by_image(guided, formula):
    return torch.stack([formula(*image) for image in images(guided)])


def test_none_is_the_result_itself(guided):
    assert found("none", guided) is guided.result


def test_rescale_is_that_of_lin_et_al(guided):
    def formula(result, cond, uncond, x):
        return 0.7 * result * cond.std() / result.std() + 0.3 * result

    torch.testing.assert_close(found("rescale", guided), by_image(guided, formula))


def test_renorm_never_makes_longer(guided):
    def formula(result, cond, uncond, x):
        return result * min(1.0, float(cond.norm() / result.norm()))

    torch.testing.assert_close(found("renorm", guided), by_image(guided, formula))


@pytest.mark.parametrize("limit", [0.0, 2.0])
@pytest.mark.parametrize("parallel", [0.0, 0.4, 1.0])
def test_apg_is_that_of_sadat_et_al_over_two_steps(guided, limit, parallel):
    memory = Memory()
    settings = {"momentum": -0.5, "limit": limit, "parallel": parallel}
    running = [torch.zeros_like(guided.cond[0])] * 3
    for _ in range(2):
        ours = found("apg", guided, memory, **settings)
        expected = []
        for k, (_, cond, uncond, _) in enumerate(images(guided)):
            push = cond - uncond + -0.5 * running[k]
            running[k] = push
            if limit:
                push = push * min(1.0, limit / float(push.norm()))
            unit = cond / cond.norm()
            along = (push * unit).sum() * unit
            expected.append(cond + 3.0 * ((push - along) + parallel * along))
        torch.testing.assert_close(ours, torch.stack(expected))


def test_apg_without_limits_is_the_result(guided):
    ours = found("apg", guided, momentum=0.0, limit=0.0, parallel=1.0)
    torch.testing.assert_close(ours, guided.result)


def test_apg_forgets_where_the_noise_rises(guided):
    memory = Memory()
    memory.begin(3.0)
    first = found("apg", guided, memory)
    memory.begin(2.0)
    second = found("apg", guided, memory)
    memory.begin(3.0)
    assert not torch.equal(first, second)
    assert torch.equal(found("apg", guided, memory), first)


def test_zero_star_is_that_of_fan_et_al_after_its_first_step(guided):
    memory = Memory()
    memory.begin(100.0)
    assert torch.equal(found("zero_star", guided, memory), guided.x)  # no velocity at all

    def formula(result, cond, uncond, x):
        v_cond, v_uncond = (x - cond) / 0.7, (x - uncond) / 0.7
        s = (v_cond * v_uncond).sum() / (v_uncond**2).sum()
        return x - 0.7 * (s * v_uncond + 4.0 * (v_cond - s * v_uncond))

    torch.testing.assert_close(found("zero_star", guided, memory), by_image(guided, formula))


def test_zero_star_gives_up_nothing_where_a_picture_shows_through_already(guided):
    memory = Memory()
    memory.begin(1.5)
    assert not torch.equal(found("zero_star", guided, memory), guided.x)


@each_kind
def test_images_of_a_batch_do_not_see_each_other(guided, kind):
    def alone(k):
        one = {n: getattr(guided, n)[k : k + 1] for n in ("result", "cond", "uncond", "x")}
        return Guided(**one, scale=guided.scale, sigma=guided.sigma)

    whole = found(kind, guided, zero_steps=0)
    parts = torch.cat([found(kind, alone(k), zero_steps=0) for k in range(3)])
    torch.testing.assert_close(whole, parts, rtol=0, atol=1e-12)


@each_kind
def test_without_a_push_nothing_is_to_correct(guided, kind):
    still = Guided(guided.cond, guided.cond, guided.cond, 4.0, guided.x, 0.7)
    torch.testing.assert_close(found(kind, still, zero_steps=0), guided.cond)


def test_an_unknown_correction_is_refused():
    with pytest.raises(PlanError, match=r"no correction 'magic'; choose from \['none', 'rescale'"):
        Correction("magic")


@pytest.mark.parametrize("kind", CORRECTIONS)
def test_an_image_with_a_plan_of_its_own_is_corrected_as_if_alone(kind, noise):
    lists = {"a": (4.0, 0.0, 1.0), "b": (2.0, 3.0, 1.0)}
    together = Program(tuple(Modality(n, w) for n, w in lists.items()))
    alone = [Program(tuple(Modality(n, w[k]) for n, w in lists.items())) for k in range(3)]
    memory, memories = Memory(), [Memory() for _ in alone]
    for sigma in (20.0, 5.0, 1.0):
        plan = together.plan_at(0.5)
        seen, x = {row: noise(3, 2, 4, 4) for row in plan.rows}, noise(3, 2, 4, 4)
        found = corrected(Correction(kind), seen, plan, memory, x, sigma, sigma)
        for k, program in enumerate(alone):
            own = program.plan_at(0.5)
            mine = {row: seen[row][k : k + 1] for row in own.rows}
            here = x[k : k + 1], sigma, sigma
            wanted = corrected(Correction(kind), mine, own, memories[k], *here)
            assert torch.equal(found[k : k + 1], wanted)
