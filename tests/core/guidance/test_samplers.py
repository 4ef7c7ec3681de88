"""Which speeds may be trusted under which sampler."""

import pytest

from mm_core.guidance.samplers import FEWEST, MEASURED, is_safe, speed_under

TABLE = {
    "good": {6: (40.0, 28.0, 20.0), 10: (40.0, 28.0, 20.0), 25: (40.0, 28.0, 20.0)},
    "late": {6: (29.9, 21.9, 20.0), 10: (30.0, 22.0, 20.0), 25: (31.0, 30.0, 20.0)},
    "odd": {6: (40.0, 28.0, 20.0), 10: (20.0, 10.0, 20.0), 25: (40.0, 28.0, 20.0)},
    "short": {6: (40.0, 28.0, 20.0)},
    "short and bad": {6: (20.0, 10.0, 20.0)},
}


@pytest.mark.parametrize("speed", ["balanced", "fast"])
@pytest.mark.parametrize(
    ("sampler", "steps", "safe"),
    [
        ("good", 6, True), ("good", 8, True), ("good", 100, True),
        ("late", 6, False), ("late", 9, False), ("late", 10, True), ("late", 11, True),
        ("odd", 6, True), ("odd", 7, False), ("odd", 10, False), ("odd", 24, False),
        ("odd", 25, True), ("odd", 26, True), ("good", 5, None), ("late", 5, False),
        ("short", 6, True), ("short", 7, None), ("short", 25, None), ("short and bad", 9, False),
        ("another pack's", 25, None), ("", 25, None),
    ],
)  # fmt: skip
def test_a_speed_is_safe_between_numbers_of_steps_that_are(speed, sampler, steps, safe):
    assert is_safe(speed, sampler, steps, TABLE) is safe


@pytest.mark.parametrize("speed", ["exact", "draft"])
def test_what_keeps_no_rows_is_never_replaced(speed):
    assert speed_under(speed, "", 1) == (speed, "")


def test_a_sampler_that_was_measured_to_be_bad_runs_exact_and_says_so():
    speed, said = speed_under("fast", "res_multistep", 6)
    assert speed == "exact"
    assert said.startswith(
        "the speed fast was measured to end too far from exact under res_multistep at 6 steps, so "
    )


@pytest.mark.parametrize(("sampler", "steps"), [("", 25), ("mine", 25), ("euler", 3)])
def test_what_was_not_measured_runs_exact_and_says_so(sampler, steps):
    speed, said = speed_under("balanced", sampler, steps)
    assert speed == "exact"
    assert said.startswith("the speed balanced was not measured under ")


@pytest.mark.parametrize("steps", [6, 10, 25, 50])
@pytest.mark.parametrize("speed", ["balanced", "fast"])
def test_the_default_sampler_keeps_its_speeds(speed, steps):
    assert speed_under(speed, "euler", steps) == (speed, "")


def test_every_sampler_was_measured_at_the_fewest_steps():
    assert all(FEWEST in by_steps for by_steps in MEASURED.values())
