"""Claims of files that could not be built, or only in hours."""

import pytest

from mm_core.errors import WeightsError
from mm_core.priors.claims import (
    check_filled,
    check_room,
    check_shape,
    count_layers,
    needs,
    shown,
)
from mm_core.priors.transformer import PriorTransformer, Sizes


def test_layers_are_counted_by_their_numbers():
    names = ("b.0.x", "b.1.x", "b.1.y", "b.2.", "c.7.x", "ab.9.x", "b.x")
    assert count_layers(dict.fromkeys(names, (1,)), "b.", "a") == 3


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((), r"it has the layers \[\]; download it again"),
        ((0, 2), r"it has the layers \[0, 2\]"),
        ((1, 2), r"it has the layers \[1, 2\]"),
        (range(2, 1000), r"it has the layers \[2, 3, 4, \.\.\., 999\]"),
        (("1" * 5000,), r"it has the layers \[\]"),
    ],
)
def test_layers_with_gaps_are_refused(numbers, said):
    with pytest.raises(WeightsError, match=rf"a is incomplete: {said}"):
        count_layers({f"b.{k}.x": (1,) for k in numbers}, "b.", "a")


@pytest.mark.parametrize("sizes", [Sizes(24, 64, 4, 2, 7), Sizes(1, 2, 1, 30, 1)])
def test_a_whole_network_has_room_for_what_it_claims(sizes):
    shapes = {n: tuple(t.shape) for n, t in PriorTransformer(sizes).state_dict().items()}
    check_room(needs(sizes.width, sizes.layers, dim=sizes.dim, tokens=sizes.tokens), shapes, "a")


@pytest.mark.parametrize(
    ("claimed", "said"),
    [
        ({"width": 101}, "width 101"),
        ({"layers": 93}, "layers 93"),
        ({"dim": 2**70}, "dim 1180591620717411303424"),
        ({"dim": 10**4000}, r"dim of 10\^24 or more"),
        ({"codes": 400, "dim": 200}, "code components"),
    ],
)
def test_claims_of_more_than_all_tensors_have_are_refused(claimed, said):
    """One tensor of 10000 numbers: a square of 100, or 92 layers of 12 squares of width 3."""
    sizes = {"width": 3, "layers": 1, "dim": 1} | claimed
    with pytest.raises(WeightsError, match=f"a cannot have the {said} that .* have 10000 numbers"):
        check_room(needs(**sizes), {"x": (100, 100), "y": (2**62, 0)}, "a")


@pytest.mark.parametrize("sizes", [{"width": 100, "layers": 0}, {"width": 3, "layers": 92}])
def test_claims_that_just_fit_are_not_refused(sizes):
    check_room(needs(**{"width": 3, "layers": 1} | sizes, dim=100), {"x": (100, 100)}, "a")


@pytest.mark.parametrize("shape", [(), (0, 3), (3, 0)])
def test_tensors_without_numbers_are_named(shape):
    with pytest.raises(WeightsError, match=r"a cannot be used: y has the shape .*, needed"):
        check_filled({"x": (1,), "y": shape}, "a")
    with pytest.raises(WeightsError, match=r"a cannot be used: y has the shape .*, needed 2"):
        check_shape("y", shape, 2, "a")


def test_a_shape_of_the_dimensions_asked_for_passes():
    check_filled({"x": (1,), "y": (2, 3)}, "a")
    check_shape("y", (2, 3), 2, "a")


def test_numbers_are_shown_in_a_few_digits():
    assert (shown(12), shown(10**5000)) == ("12", "of 10^24 or more")
