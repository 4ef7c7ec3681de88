"""The figures of one evaluation against their formulas, in float64 and image by image."""

import math

import numpy as np
import pytest
import torch

from mm_core.guidance.compositions import chained, leave_one_out, perp_neg
from mm_core.guidance.measure import figures, inner_products, measurable, subject
from mm_core.guidance.plan import GuidancePlan, Term
from mm_core.types import NULL, Row

A, B, AB = Row.of("a"), Row.of("b"), Row.of("ab")


@pytest.fixture(
    params=[(3, 4, 6, 5), (3, 1, 40), (3, 4, 2, 6, 5)], ids=["image", "packed", "video"]
)
def latents(request, noise):
    """(predictions, x, result) of three images."""
    rows = {row: noise(*request.param) for row in (NULL, A, B, AB)}
    return rows, noise(*request.param), noise(*request.param)


def measured(plan, latents, sharper=1.0):
    predictions, x, result = latents
    terms = measurable(plan, predictions)
    products, places = inner_products(predictions, terms, AB, x, result)
    return figures(products.tolist(), places, [t.weight for t in terms], sharper)


def images(tensor):
    """One flat float64 vector for each image."""
    return list(tensor.double().flatten(1).numpy())


def each(of, *tensors):
    """The mean over images of a formula on vectors."""
    return np.mean([of(*vectors) for vectors in zip(*map(images, tensors), strict=True)])


def norm(v):
    return math.sqrt(float(v @ v))


def cosine(a, b):
    return float(a @ b) / norm(a) / norm(b)


def test_leave_one_out_is_measured_as_the_formulas_say(latents):
    rows, x, result = latents
    found = measured(leave_one_out({"a": 3.0, "b": -0.5}), latents, sharper=0.75)
    a, b = rows[AB] - rows[B], rows[AB] - rows[A]  # what each adds; the gains are 2 and -1.5
    push, away = result - rows[AB], x - rows[AB]
    assert found["push"] == pytest.approx(
        [each(lambda v: 2 * norm(v), a), each(lambda v: 1.5 * norm(v), b)], rel=1e-4
    )
    first = each(lambda v, w: 2 * norm(v) / (2 * norm(v) + 1.5 * norm(w)), a, b)
    assert found["share"] == pytest.approx([first, 1 - first], rel=1e-4)
    assert found["information"] == pytest.approx(
        [each(lambda v: 0.375 * (v @ v), d) for d in (a, b)], rel=1e-4
    )
    between = each(cosine, a, b)
    assert np.array(found["cosines"]) == pytest.approx(
        np.array([[1, between], [between, 1]]), rel=1e-3
    )
    assert found["relative_push"] == pytest.approx(
        each(lambda u, v: norm(u) / norm(v), push, away), rel=1e-4
    )
    assert found["parallel"] == pytest.approx(each(cosine, push, rows[AB]), rel=1e-3, abs=1e-5)


def test_a_term_taken_across_another_pushes_with_its_perpendicular_part(latents):
    rows, _, _ = latents
    found = measured(perp_neg({"a": 2.0, "b": -3.0}), latents)
    ahead, whole = rows[A] - rows[NULL], rows[B] - rows[NULL]

    def across(v, along):
        return 3 * norm(v - (v @ along) / (along @ along) * along)

    assert found["push"][1] == pytest.approx(each(across, whole, ahead), rel=1e-4)
    assert found["cosines"][0][1] == pytest.approx(0, abs=1e-5)
    # What the model was told is in the whole difference, whichever part of it is used.
    assert found["information"][1] == pytest.approx(each(lambda v: (v @ v) / 2, whole), rel=1e-4)


def test_a_weight_for_each_image_scales_that_image(latents):
    rows, _, _ = latents
    gains = torch.tensor([1.0, 0.0, -2.0])
    found = measured(GuidancePlan(AB, (Term(AB, B, gains.view(3, 1, 1)),)), latents)
    lengths = [norm(v) for v in images(rows[AB] - rows[B])]
    assert found["push"] == pytest.approx([(lengths[0] + 2 * lengths[2]) / 3], rel=1e-4)
    assert found["share"] == pytest.approx([2 / 3])  # nothing is pushed in the second


def test_a_mask_counts_the_push_where_it_acts_and_the_information_everywhere(noise):
    latents = {row: noise(2, 4, 3, 5) for row in (B, AB)}, noise(2, 4, 3, 5), noise(2, 4, 3, 5)
    mask = torch.rand(1, 3, 5, generator=torch.Generator().manual_seed(3))
    found = measured(GuidancePlan(AB, (Term(AB, B, mask),)), latents)
    a = latents[0][AB] - latents[0][B]
    assert found["push"] == pytest.approx([each(norm, a * mask[:, None])], rel=1e-4)
    assert found["information"] == pytest.approx([each(lambda v: (v @ v) / 2, a)], rel=1e-4)


def test_half_precision_is_measured_in_full(noise):
    rows = {row: noise(1, 4, 8, 8).half() * 200 for row in (NULL, A)}
    found = measured_with(rows, Term(A, NULL, 1.0))
    assert found["push"] == pytest.approx(
        [each(norm, rows[A].float() - rows[NULL].float())], rel=1e-4
    )


def measured_with(rows, term):
    products, places = inner_products(rows, [term], A, rows[A] * 0, rows[A])
    return figures(products.tolist(), places, [term.weight], 1.0)


def test_small_differences_of_large_latents_keep_their_digits(noise):
    large, small = 100 * noise(1, 4, 16, 16), 0.01 * noise(1, 4, 16, 16)
    found = measured_with({NULL: large, A: large + small}, Term(A, NULL, 1.0))
    assert found["push"] == pytest.approx([each(norm, (large + small) - large)], rel=1e-4)


def test_nothing_to_divide_by_is_0_and_an_overflow_is_no_number(noise):
    same = noise(1, 4, 2, 2)
    still = measured_with({NULL: same, A: same}, Term(A, NULL, 1.0))
    assert (still["share"], still["cosines"], still["relative_push"]) == ([0.0], [[1.0]], 0.0)
    broken = measured_with({NULL: same, A: same * math.inf}, Term(A, NULL, 1.0))
    assert (broken["push"], broken["share"], broken["parallel"]) == ([None], [None], None)


def test_at_the_end_there_is_nothing_left_to_tell(latents):
    assert measured(leave_one_out({"a": 2.0, "b": 2.0}), latents, None)["information"] == [None] * 2


@pytest.mark.parametrize(
    ("plus", "minus", "said"),
    [
        ("ab", "b", "a"),
        ("ab", "", "a+b"),
        ("a", "b", "a+b"),
        ({"a": 1, "b": 1, "c": 1}, {"a": 0.4, "b": 1, "c": -1}, "a+c"),
    ],
)
def test_a_term_belongs_to_the_names_whose_strength_differs(plus, minus, said):
    assert subject(Term(Row.of(plus), Row.of(minus), 1.0)) == said


def test_terms_that_meet_in_a_row_that_was_never_run_are_told_as_one():
    abc = Row.of("abc")
    plan = chained({"a": 2.0, "b": 2.0, "c": 2.0})
    assert measurable(plan, plan.rows) == (Term(abc, NULL, 2.0),)
    two = chained({"a": 2.0, "b": 2.0, "c": 3.0})
    assert measurable(two, two.rows) == (Term(AB, NULL, 2.0), Term(abc, AB, 3.0))
    images = torch.tensor([1.0, 2.0]).view(2, 1, 1)
    each_image = chained({"a": images, "b": images.clone()})
    (joined,) = measurable(each_image, each_image.rows)
    assert (joined.plus, joined.minus) == (AB, NULL)


def test_a_term_whose_row_is_not_there_is_left_out():
    plan = leave_one_out({"a": 2.0, "b": 3.0})
    assert measurable(plan, [AB, A]) == (Term(AB, A, 2.0),)
    assert measurable(plan, []) == ()
    across = perp_neg({"a": 2.0, "b": -1.0})
    assert measurable(across, [NULL, B]) == ()
