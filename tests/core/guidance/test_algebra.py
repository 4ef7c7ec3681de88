"""The sum of rows: no mixing of samples, no rounding where there is nothing to add."""

import pytest
import torch

from mm_core.errors import PlanError
from mm_core.guidance.algebra import combine, effective_pair
from mm_core.guidance.compositions import COMPOSITIONS, compose
from mm_core.guidance.plan import GuidancePlan, Term
from mm_core.types import NULL, Row

each_composition = pytest.mark.parametrize("composition", COMPOSITIONS)
WEIGHTS = {"a": 3.0, "b": 0.5, "c": -2.0}
ROWS = [Row.of(names) for names in ("", "a", "b", "c", "ab", "ac", "bc", "abc")]
MIXED = [r for r in compose("weighted_negative", WEIGHTS).rows if r not in ROWS]


@pytest.fixture
def predictions(noise):
    return {row: noise(3, 2, 4, 4) for row in ROWS + MIXED}


def test_adds_coefficient_times_prediction(predictions):
    plan = GuidancePlan(ROWS[0], (Term(ROWS[1], ROWS[0], 5.0), Term(ROWS[4], ROWS[2], -0.5)))
    d = {row: p.double() for row, p in predictions.items()}
    expected = d[ROWS[0]] + 5.0 * (d[ROWS[1]] - d[ROWS[0]]) - 0.5 * (d[ROWS[4]] - d[ROWS[2]])
    # Four float32 terms of size about 5.
    torch.testing.assert_close(combine(predictions, plan), expected.float(), rtol=1e-5, atol=1e-5)


@each_composition
def test_samples_of_a_batch_do_not_see_each_other(predictions, composition):
    plan = compose(composition, WEIGHTS)
    first = {row: p[:1] for row, p in predictions.items()}
    assert torch.equal(combine(predictions, plan)[:1], combine(first, plan))


def test_weights_of_1_give_the_prediction_itself(predictions):
    plan = compose("leave_one_out", dict.fromkeys("abc", 1.0))
    assert torch.equal(combine(predictions, plan), predictions[Row.of("abc")])


@each_composition
def test_equal_predictions_are_returned_bit_for_bit_whatever_the_weights(noise, composition):
    same = noise(2, 3, 4, 4)
    assert torch.equal(
        combine(dict.fromkeys(ROWS + MIXED, same), compose(composition, WEIGHTS)), same
    )


@each_composition
def test_guiding_velocities_or_denoised_latents_gives_the_same_latent(predictions, composition):
    sigma, plan = 0.7, compose(composition, WEIGHTS)
    x = torch.ones(3, 2, 4, 4, dtype=torch.float64)
    velocities = {row: p.double() for row, p in predictions.items()}
    denoised = {row: x - sigma * v for row, v in velocities.items()}
    torch.testing.assert_close(combine(denoised, plan), x - sigma * combine(velocities, plan))


def test_a_missing_row_is_named(predictions):
    del predictions[Row.of("bc")]
    with pytest.raises(PlanError, match=r"needs the rows \['b\+c'\]; there are \['a'"):
        combine(predictions, compose("leave_one_out", WEIGHTS))


def test_what_is_taken_across_another_push_is_perpendicular_to_it_in_each_image(predictions):
    plan = compose("perp_neg", {"a": 7.0, "b": -2.0})
    d = {row: p.double() for row, p in predictions.items()}
    positive, negative = d[ROWS[1]] - d[NULL], d[ROWS[2]] - d[NULL]
    expected = []
    for p, n in zip(positive, negative, strict=True):
        expected.append(7.0 * p - 2.0 * (n - (n * p).sum() / (p * p).sum() * p))
    found = combine(d, plan) - d[NULL]
    torch.testing.assert_close(found, torch.stack(expected), rtol=1e-5, atol=1e-5)
    removed = found - 7.0 * positive
    assert (removed * positive).flatten(1).sum(1).abs().max() < 1e-3


def test_a_gain_for_each_image_is_that_of_the_image_alone(predictions):
    by_image = torch.tensor([3.0, 1.0, -0.5]).view(-1, 1, 1)
    found = combine(predictions, compose("leave_one_out", {"a": by_image, "b": 2.0}))
    for k, w in enumerate((3.0, 1.0, -0.5)):
        alone = combine(
            {row: p[k : k + 1] for row, p in predictions.items()},
            compose("leave_one_out", {"a": w, "b": 2.0}),
        )
        torch.testing.assert_close(found[k : k + 1], alone)


@each_composition
def test_a_gain_that_is_one_number_everywhere_is_that_number(predictions, composition):
    if composition in ("perp_neg", "weighted_negative"):
        return  # these treat gains that vary apart; tested with them
    flat = {name: torch.full((3, 4, 4), w) for name, w in WEIGHTS.items()}
    torch.testing.assert_close(
        combine(predictions, compose(composition, flat)),
        combine(predictions, compose(composition, WEIGHTS)),
    )


def test_a_gain_of_1_in_one_half_leaves_that_half_as_it_is(predictions):
    gain = torch.ones(1, 4, 4)
    gain[..., 2:] = 5.0
    found = combine(predictions, compose("leave_one_out", {"a": gain, "b": 1.0}))
    assert torch.equal(found[..., :2], predictions[Row.of("ab")][..., :2])
    pushed = predictions[Row.of("ab")] + 4 * (predictions[Row.of("ab")] - predictions[Row.of("b")])
    torch.testing.assert_close(found[..., 2:], pushed[..., 2:])


def test_gains_by_place_fit_video_too(noise):
    d = {row: noise(2, 3, 5, 4, 4) for row in ROWS}  # frames before rows and columns
    gain = torch.rand(2, 4, 4)
    found = combine(d, compose("leave_one_out", {"a": gain}))
    expected = d[ROWS[1]] + (gain - 1)[:, None, None] * (d[ROWS[1]] - d[NULL])
    torch.testing.assert_close(found, expected)


@each_composition
def test_the_pair_for_two_row_hooks_gives_the_result_back(predictions, composition):
    plan = compose(composition, WEIGHTS)
    doubles = {row: p.double() for row, p in predictions.items()}
    result = combine(doubles, plan)
    cond, uncond, scale = effective_pair(doubles, plan, result)
    torch.testing.assert_close(uncond + scale * (cond - uncond), result)


def test_the_pair_of_one_modality_is_that_of_classifier_free_guidance(predictions):
    plan = compose("leave_one_out", {"a": 7.5})
    doubles = {row: p.double() for row, p in predictions.items()}
    cond, uncond, scale = effective_pair(doubles, plan, combine(doubles, plan))
    assert scale == 7.5
    assert torch.equal(cond, doubles[Row.of("a")])
    torch.testing.assert_close(uncond, doubles[NULL])


def test_the_pair_of_a_single_row_has_scale_2_and_no_difference(predictions):
    plan = compose("leave_one_out", dict.fromkeys("abc", 1.0))
    result = combine(predictions, plan)
    cond, uncond, scale = effective_pair(predictions, plan, result)
    assert scale == 2.0
    assert torch.equal(cond, result)
    assert torch.equal(uncond, result)
