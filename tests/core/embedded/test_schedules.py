"""Noise levels against the formulas, written out in float64."""

import pytest
import torch

from mm_core.embedded.schedules import SCHEDULES, sigmas
from mm_core.errors import InputError

LOW, HIGH, RHO = 0.001, 1.0, 7


@pytest.mark.parametrize("steps", [2, 5, 25])
def test_karras_is_equation_5_of_the_paper(steps):
    expected = [
        (HIGH ** (1 / RHO) + i / (steps - 1) * (LOW ** (1 / RHO) - HIGH ** (1 / RHO))) ** RHO
        for i in range(steps)
    ]
    assert sigmas("karras", steps).tolist() == pytest.approx([*expected, 0.0], rel=1e-5)


@pytest.mark.parametrize("steps", [2, 5, 25])
def test_normal_is_equal_steps_from_1_to_a_thousandth(steps):
    expected = [HIGH - i * (HIGH - LOW) / (steps - 1) for i in range(steps)]
    assert sigmas("normal", steps).tolist() == pytest.approx([*expected, 0.0], rel=1e-5)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 1000])
def test_every_schedule_falls_from_1_to_0_in_as_many_steps(schedule, steps):
    levels = sigmas(schedule, steps)
    assert len(levels) == steps + 1
    assert (levels[0], levels[-1]) == (1.0, 0.0)
    assert (levels.diff() < 0).all()


@pytest.mark.parametrize("steps", [0, -3, 1001])
def test_a_number_of_steps_out_of_range_is_refused(steps):
    with pytest.raises(InputError, match=f"steps is {steps}; it must be between 1 and 1000"):
        sigmas("normal", steps)


def test_an_unknown_schedule_is_refused_with_the_list():
    with pytest.raises(
        InputError, match=r"no schedule 'cosine'; choose from \['normal', 'karras'\]"
    ):
        sigmas("cosine", 5)


@pytest.mark.parametrize(
    ("steps", "denoise", "whole"), [(20, 0.5, 40), (16, 0.6, 26), (4, 0.3, 13)]
)
def test_denoise_takes_the_last_steps_of_a_longer_run(steps, denoise, whole):
    """ComfyUI's KSampler: int(steps / denoise) steps, of which the last ones are run."""
    exact = [HIGH - i * (HIGH - LOW) / (whole - 1) for i in range(whole)] + [0.0]
    assert sigmas("normal", steps, denoise).tolist() == pytest.approx(exact[-steps - 1 :], rel=1e-4)


def test_nearly_all_of_denoise_is_all():
    assert torch.equal(sigmas("normal", 7, 0.99995), sigmas("normal", 7))
    assert sigmas("normal", 1000, 0.01)[0] == pytest.approx(0.011, rel=0.01)


def test_a_little_less_than_all_of_denoise_begins_later():
    """KSampler takes int(1000 / 0.999) = 1001 steps then, and leaves the first out."""
    levels = sigmas("normal", 1000, 0.999)
    assert len(levels) == 1001
    assert float(levels[0]) == pytest.approx(HIGH - (HIGH - LOW) / 1000, rel=1e-6)


@pytest.mark.parametrize(("steps", "denoise"), [(5, 1e-9), (5, 1e-320), (1000, 0.0099), (1, 9e-6)])
def test_a_denoise_of_more_steps_than_can_be_computed_is_refused(steps, denoise):
    said = f"denoise is {denoise:g}, so that {steps} steps would be .* to {steps / 1e5:g} or more"
    with pytest.raises(InputError, match=said):
        sigmas("normal", steps, denoise)
    assert len(sigmas("karras", steps, steps / 1e5)) == steps + 1


@pytest.mark.parametrize("denoise", [0.0, -0.5, 1.01, float("nan")])
def test_denoise_out_of_range_is_refused(denoise):
    with pytest.raises(InputError, match=f"denoise is {denoise}; it must be above 0 and at most 1"):
        sigmas("normal", 5, denoise)
