"""Arithmetic with embeddings against closed forms."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from mm_core.errors import InputError
from mm_core.priors import mix
from mm_core.priors.prior import PriorText
from mm_core.priors.space import ImageEmbedding, Space, space_of_width

PLANE = Space("a plane", 2)
WIDE = Space("CLIP", 768)


def at(*rows, unit=False):
    return ImageEmbedding(torch.tensor(rows), PLANE, unit)


def polar(length, degrees):
    angle = math.radians(degrees)
    return [length * math.cos(angle), length * math.sin(angle)]


@given(st.floats(0, 1), st.floats(1, 170), st.floats(0.1, 50), st.floats(0.1, 50))
def test_slerp_turns_evenly_and_lengths_go_in_equal_ratios(t, degrees, one, other):
    a, b = at(polar(one, 10)), at(polar(other, 10 + degrees))
    expected = polar(one ** (1 - t) * other**t, 10 + t * degrees)
    torch.testing.assert_close(
        mix.slerp(a, b, t).vectors, torch.tensor([expected]), rtol=1e-3, atol=1e-4
    )


@given(st.floats(0, 1))
def test_slerp_backwards_is_slerp(t):
    a, b = at(polar(2.0, 10)), at(polar(3.0, 130))
    torch.testing.assert_close(
        mix.slerp(a, b, t).vectors, mix.slerp(b, a, 1 - t).vectors, rtol=1e-4, atol=1e-4
    )


def test_slerp_of_one_direction_is_that_direction():
    a, b = at(polar(2.0, 30)), at(polar(8.0, 30))
    torch.testing.assert_close(
        mix.slerp(a, b, 0.5).vectors, torch.tensor([polar(4.0, 30)]), rtol=1e-5, atol=1e-5
    )


def test_slerp_of_unit_vectors_is_of_unit_vectors():
    a, b = at(polar(1.0, 0), unit=True), at(polar(1.0, 90), unit=True)
    found = mix.slerp(a, b, 1 / 3)
    assert found.unit
    torch.testing.assert_close(found.vectors, torch.tensor([polar(1.0, 30)]))


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ([[1.0, 0.0]], [[-2.0, 0.0]], "point opposite ways"),
        ([[0.6, 0.8]], [[-1.38, -1.84]], "point opposite ways"),
        ([[1.0, 0.0]], [[0.0, 0.0]], "length 0 has no direction"),
    ],
)
def test_what_has_no_way_between_is_refused(a, b, said):
    with pytest.raises(InputError, match=said):
        mix.slerp(at(*a), at(*b), 0.5)


def test_every_opposite_is_refused_whatever_rounding_makes_of_it(rng):
    for row in torch.randn(50, 768, generator=rng):
        a = ImageEmbedding(row[None], WIDE)
        with pytest.raises(InputError, match="point opposite ways"):
            mix.slerp(a, ImageEmbedding(-2.3 * row[None], WIDE), 0.5)


def test_near_opposites_have_a_way_of_full_length():
    a, b = at(polar(4.0, 0)), at(polar(9.0, 179.9))
    torch.testing.assert_close(
        mix.slerp(a, b, 0.5).vectors, torch.tensor([polar(6.0, 89.95)]), rtol=1e-4, atol=1e-2
    )
    assert float(mix.slerp(a, b, 0.5).vectors.norm()) == pytest.approx(6.0, rel=1e-5)


def test_lerp_is_the_straight_line_and_beyond():
    a, b = at([1.0, 2.0]), at([3.0, 6.0], [1.0, 0.0])
    for t in (0.0, 0.25, 1.0, 1.5):
        expected = a.vectors + t * (b.vectors - a.vectors)
        torch.testing.assert_close(mix.lerp(a, b, t).vectors, expected)
    assert not mix.lerp(at([1.0, 0.0], unit=True), at([0.0, 1.0], unit=True), 0.5).unit


def test_an_average_divides_by_the_weights_and_a_sum_does_not():
    a, b = at([2.0, 0.0]), at([0.0, 4.0])
    torch.testing.assert_close(mix.average([a, b]).vectors, torch.tensor([[1.0, 2.0]]))
    torch.testing.assert_close(mix.average([a, b], [3.0, 1.0]).vectors, torch.tensor([[1.5, 1.0]]))
    found = mix.weighted_sum([a, b], [3.0, 1.0]).vectors
    torch.testing.assert_close(found, torch.tensor([[6.0, 4.0]]))
    with pytest.raises(InputError, match=r"weights \[1\.0, -1\.0\] add up to 0"):
        mix.average([a, b], [1.0, -1.0])
    with pytest.raises(InputError, match="1 weight for 2 embeddings; give a weight for each"):
        mix.average([a, b], [1.0])
    with pytest.raises(InputError, match="no embeddings; give one or more"):
        mix.average([])


def test_batches_of_three_sizes_are_refused_by_number():
    one, two, three = (at(*[[1.0, 2.0]] * n) for n in (1, 2, 3))
    assert len(mix.weighted_sum([one, three, three], [1.0, 1.0, 1.0])) == 3
    with pytest.raises(InputError, match="3 embeddings meet 2; needed as many of each, or one"):
        mix.weighted_sum([one, two, three], [1.0, 1.0, 1.0])


def test_subtraction_keeps_the_length_and_turns_away():
    a, b = at([3.0, 4.0]), at([0.0, 4.0])
    torch.testing.assert_close(mix.subtract(a, b).vectors, torch.tensor([[5.0, 0.0]]))
    torch.testing.assert_close(mix.subtract(a, b, 0.0).vectors, a.vectors)
    with pytest.raises(InputError, match="nothing is left"):
        mix.subtract(a, a)


def texts(*rows):
    return PriorText(torch.tensor(rows), torch.zeros(len(rows), 1, 2), torch.ones(len(rows), 1) > 0)


def test_the_text_difference_is_the_paper_s_turn():
    """Section 3.3: slerp(z, unit(to - from), share), here at the image's own length."""
    image, to, origin = at(polar(7.0, 0)), texts([1.0, 5.0]), texts([1.0, 2.0])
    for share in (0.0, 0.25, 0.5):
        found = mix.text_diff(image, to, origin, share).vectors
        torch.testing.assert_close(
            found, torch.tensor([polar(7.0, 90 * share)]), rtol=1e-5, atol=1e-5
        )
    with pytest.raises(InputError, match="the two texts say the same"):
        mix.text_diff(image, to, to, 0.3)
    wide = PriorText(torch.ones(1, 3), torch.zeros(1, 1, 3), torch.ones(1, 1) > 0)
    with pytest.raises(InputError, match="3 wide, the image embedding is of a plane, width 2"):
        mix.text_diff(image, wide, wide, 0.3)


def test_a_walk_goes_by_standard_deviations_along_a_component(rng):
    along = torch.randn(4000, 2, generator=rng) * torch.tensor([5.0, 1.0])
    others = ImageEmbedding(along, PLANE)
    moved = mix.component_walk(at([1.0, 1.0]), others, 0, 2.0).vectors - 1
    assert float(moved[0, 0].abs()) == pytest.approx(10.0, rel=0.05)
    assert abs(float(moved[0, 1])) < 0.3
    with pytest.raises(InputError, match="component is 2; needed 0 to 1"):
        mix.component_walk(at([1.0, 1.0]), others, 2, 1.0)
    with pytest.raises(InputError, match="component is -1; needed 0 to 1"):
        mix.component_walk(at([1.0, 1.0]), others, -1, 1.0)


def test_reduction_to_all_components_is_the_embedding_and_to_none_the_mean(rng):
    others = ImageEmbedding(torch.randn(50, 2, generator=rng), PLANE)
    image = at([3.0, -2.0])
    torch.testing.assert_close(mix.reduced(image, others, 2).vectors, image.vectors)
    torch.testing.assert_close(
        mix.reduced(image, others, 0).vectors, others.vectors.mean(0, keepdim=True)
    )
    for count in (-3, 3):
        with pytest.raises(InputError, match=f"count is {count}; needed 0 to 2 components"):
            mix.reduced(image, others, count)


def test_lengths_are_matched_and_directions_kept(rng):
    image = ImageEmbedding(torch.randn(4, 2, generator=rng), PLANE, unit=False)
    like = at([3.0, 0.0], [0.0, 4.0])
    found = mix.match_norm(image, like)
    torch.testing.assert_close(found.vectors.norm(dim=1), torch.full((4,), 12.5**0.5))
    torch.testing.assert_close(F.normalize(found.vectors, dim=1), F.normalize(image.vectors, dim=1))
    assert mix.match_norm(image, 1.0).unit
    with pytest.raises(
        InputError, match=r"the length to match is 0\.0; it must be a finite number"
    ):
        mix.match_norm(image, 0.0)


def test_as_long_as_a_unit_embedding_is_a_unit_embedding(rng):
    unit = ImageEmbedding(F.normalize(torch.randn(5, 768, generator=rng), dim=1), WIDE, unit=True)
    found = mix.match_norm(ImageEmbedding(7 * unit.vectors.flip(1), WIDE), unit)
    assert found.unit
    torch.testing.assert_close(found.vectors.norm(dim=1), torch.ones(5))
    assert not mix.match_norm(unit, 7.0).unit


NAN, INF = float("nan"), float("inf")
ONE, OTHER = at([3.0, 4.0]), at([0.0, 4.0])
SOME = at([3.0, 4.0], [1.0, -2.0], [0.0, 5.0])
TO, FROM = texts([1.0, 5.0]), texts([1.0, 2.0])


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda: mix.lerp(ONE, OTHER, NAN), "amount is nan; needed a finite number"),
        (lambda: mix.lerp(ONE, OTHER, 1e308), "the result is not finite; choose smaller amounts"),
        (lambda: mix.lerp(ONE, at([-3.0, -4.0]), 0.5), "the result has length 0"),
        (lambda: mix.slerp(ONE, OTHER, INF), "amount is inf"),
        (lambda: mix.slerp(ONE, OTHER, 1000.0), "length 0"),
        (lambda: mix.slerp(OTHER, ONE, 1000.0), "the result is not finite"),
        (lambda: mix.subtract(ONE, OTHER, NAN), "amount is nan"),
        (lambda: mix.subtract(ONE, OTHER, 1e308), "the result is not finite"),
        (lambda: mix.text_diff(ONE, TO, FROM, NAN), "amount is nan"),
        (lambda: mix.text_diff(ONE, texts([INF, 1.0]), FROM, 0.3), "a text has numbers that"),
        (lambda: mix.component_walk(ONE, SOME, 0, NAN), "amount is nan"),
        (lambda: mix.component_walk(ONE, SOME, 0, 1e308), "the result is not finite"),
        (lambda: mix.average([ONE, OTHER], [1e308, 1e308]), "add up to more than a number holds"),
        (lambda: mix.average([ONE, OTHER], [NAN, 1.0]), "weights are .*; needed finite numbers"),
        (lambda: mix.average([ONE, OTHER], [0.0, 0.0]), "add up to 0"),
        (lambda: mix.weighted_sum([ONE, OTHER], [1.0, INF]), "needed finite numbers"),
        (lambda: mix.weighted_sum([ONE, OTHER], [1e38, 1e38]), "the result is not finite"),
        (lambda: mix.weighted_sum([ONE, OTHER], [1e308, 1.0]), "the result is not finite"),
        (lambda: mix.weighted_sum([ONE, OTHER], [0.0, 0.0]), "the result has length 0"),
        (lambda: mix.match_norm(ONE, INF), "the length to match is inf"),
        (lambda: mix.match_norm(ONE, NAN), "the length to match is nan"),
        (lambda: mix.match_norm(ONE, at([0.0, 0.0])), "embeddings to match is 0"),
        (lambda: mix.match_norm(at([0.0, 0.0]), 2.0), "to be lengthened has length 0"),
    ],
)  # fmt: skip
def test_what_gives_no_embedding_is_refused_in_one_sentence(act, said):
    with pytest.raises(InputError, match=said) as error:
        act()
    assert "\n" not in str(error.value)


def test_small_weights_have_a_mean_too():
    found = mix.average([ONE, OTHER], [1e-9, 3e-9]).vectors
    torch.testing.assert_close(found, torch.tensor([[0.75, 4.0]]))


@pytest.mark.parametrize(("images", "to", "origin"), [(1, 3, 3), (2, 3, 1), (3, 3, 2), (3, 1, 2)])
def test_texts_are_one_or_as_many_as_images(images, to, origin):
    several = at(*[[3.0, 4.0]] * images)
    with pytest.raises(InputError, match=f"texts meet {images} image embeddings; give one text"):
        mix.text_diff(several, texts(*[[1.0, 5.0]] * to), texts(*[[1.0, 2.0]] * origin), 0.3)


def test_each_image_has_a_text_of_its_own():
    three = at(*[polar(7.0, 0)] * 3)
    to = texts([1.0, 5.0], [4.0, 2.0], [1.0, 9.0])
    found = mix.text_diff(three, to, FROM, 0.5).vectors
    expected = torch.tensor([polar(7.0, 45), polar(7.0, 0), polar(7.0, 45)])
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_texts_for_an_unknown_encoder_are_of_the_one_that_made_the_embedding():
    image = ImageEmbedding(torch.ones(1, 48), space_of_width(48))
    with pytest.raises(InputError, match="with the text tower of the encoder that made it"):
        mix.text_diff(image, TO, FROM, 0.3)


def test_embeddings_of_two_spaces_never_meet():
    a, b = at([1.0, 0.0]), ImageEmbedding(torch.ones(1, 3), Space("a room", 3))
    for act in (
        lambda: mix.lerp(a, b, 0.5),
        lambda: mix.slerp(a, b, 0.5),
        lambda: mix.average([a, b]),
        lambda: mix.subtract(a, b),
        lambda: mix.match_norm(a, b),
        lambda: mix.reduced(a, b, 1),
        lambda: mix.component_walk(a, b, 0, 1.0),
    ):
        with pytest.raises(InputError, match="of a plane, width 2, the other of a room, width 3"):
            act()


def test_counts_and_lengths_that_do_not_go_together_are_refused():
    with pytest.raises(InputError, match="2 embeddings meet 3; needed as many"):
        mix.lerp(at(*[[1.0, 0.0]] * 2), at(*[[1.0, 0.0]] * 3), 0.5)
    with pytest.raises(InputError, match=r"first \(match_norm; .* Embeddings, match length\)"):
        mix.lerp(at([1.0, 0.0], unit=True), at([2.0, 0.0]), 0.5)
