"""People are checked where they are built; 133 points and back; whose hand is whose."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mm_core.encoders.control.people import (
    Frame,
    Person,
    hands_are_exchanged,
    person_of_wholebody,
    wholebody_of_person,
    with_hands_exchanged,
)
from mm_core.errors import InputError


def points(n, score=1.0, at=0.0):
    k = torch.arange(n).double()
    return torch.stack([at + k, at + 2 * k, torch.full_like(k, score)], 1)


def test_parts_of_another_size_are_refused_by_name():
    said = r"the left hand of a person has the shape \(20, 3\); needed 21 points"
    with pytest.raises(InputError, match=said):
        make_unchecked(points(18), left_hand=points(20))


def make_unchecked(*args, **kwargs):
    """Person from a module whose shapes are not checked by annotation, as users run it."""
    try:
        return Person(*args, **kwargs)
    except InputError:
        raise
    except Exception:  # the test run's own shape check comes first
        person = object.__new__(Person)
        for name in ("body", "feet", "face", "left_hand", "right_hand"):
            object.__setattr__(person, name, kwargs.get(name))
        object.__setattr__(person, "body", args[0])
        person.__post_init__()
        return person


def test_numbers_that_are_not_finite_are_refused():
    body = points(18)
    body[3, 0] = float("nan")
    with pytest.raises(InputError, match="the body of a person has a number that is not finite"):
        Person(body)


@pytest.mark.parametrize("size", [(0, 5), (5, -1), (5, 16385)])
def test_a_canvas_has_pixels_and_not_too_many(size):
    with pytest.raises(InputError, match=rf"a canvas is {size[0]} x {size[1]}; needed 1 to 16384"):
        Frame(*size)


def test_a_part_that_is_not_given_is_not_there():
    assert torch.equal(Person(points(18)).part("face"), torch.zeros(70, 3, dtype=torch.float64))


def test_parts_of_the_133_are_where_the_data_set_has_them():
    person = person_of_wholebody(points(133))
    assert person.feet[:, 0].tolist() == list(range(17, 23))
    assert person.face[:68, 0].tolist() == list(range(23, 91))
    assert person.left_hand[:, 0].tolist() == list(range(91, 112))
    assert person.right_hand[:, 0].tolist() == list(range(112, 133))
    assert person.face[68:, 0].tolist() == [2, 1]  # the right eye is COCO's number 2
    assert person.body[4, 0] == 10  # the right wrist


def test_133_points_and_back_are_the_same(rng):
    drawn = torch.rand(133, 3, generator=rng, dtype=torch.float64)
    assert torch.equal(wholebody_of_person(person_of_wholebody(drawn)), drawn)


@pytest.mark.parametrize(("name", "points_there"), [("face", 56), ("feet", 2)])
def test_another_layout_has_no_place_among_the_133(name, points_there):
    person = Person(points(18), **{name: points(points_there)})
    with pytest.raises(InputError, match=f"the {name} of a person have {points_there} points"):
        wholebody_of_person(person)


def hands_at(left, right, score=1.0):
    """A person with wrists at (0, 0) and (100, 0), and hands that begin at these places."""
    body = torch.zeros(18, 3, dtype=torch.float64)
    body[7], body[4] = torch.tensor([0.0, 0.0, 1.0]), torch.tensor([100.0, 0.0, 1.0])
    parts = {}
    for name, x in (("left_hand", left), ("right_hand", right)):
        if x is not None:
            parts[name] = points(21, score, at=x)
    return Person(body, **parts)


@pytest.mark.parametrize(
    ("left", "right", "exchanged"),
    [(5, 95, False), (95, 5, True), (None, 5, True), (5, None, False), (None, None, False)],
)
def test_a_hand_belongs_to_the_wrist_where_it_begins(left, right, exchanged):
    person = hands_at(left, right)
    assert hands_are_exchanged(person, 0.3) is exchanged
    swapped = with_hands_exchanged(person)
    if left is not None or right is not None:
        assert hands_are_exchanged(swapped, 0.3) is not exchanged


def test_whose_hand_it_is_cannot_be_told_of_points_that_are_not_seen():
    assert not hands_are_exchanged(hands_at(95, 5, score=0.2), 0.3)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-50, 50), st.floats(-50, 50))
def test_moving_changes_places_and_no_confidence(across, down, right, below):
    place = torch.tensor([[across, 0, right], [0, down, below]], dtype=torch.float64)
    moved = Person(points(18, 0.7), face=points(70)).moved(place)
    torch.testing.assert_close(moved.body[:, 0], across * points(18)[:, 0] + right)
    torch.testing.assert_close(moved.face[:, 1], down * points(70)[:, 1] + below)
    assert (moved.body[:, 2] == 0.7).all()
    assert moved.left_hand is None
