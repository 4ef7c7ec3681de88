"""Weight types by their formulas and tables, for both sizes of UNet."""

import pytest

from mm_core.adapters.ip_adapter.sites import SD15, SDXL, places, sites
from mm_core.adapters.ip_adapter.weight_types import (
    WEIGHT_TYPES,
    from_text,
    spread,
    turned_round,
)
from mm_core.errors import InputError

SMALL, LARGE = places(sites(SD15)), places(sites(SDXL))
EASE = {
    "linear": lambda i, n: 1.0,
    "ease in": lambda i, n: 0.05 + 0.95 * (1 - i / n),
    "ease out": lambda i, n: 0.05 + 0.95 * i / n,
    "ease in-out": lambda i, n: 0.05 + 0.95 * (1 - abs(i - n / 2) / (n / 2)),
    "reverse in-out": lambda i, n: 0.05 + 0.95 * (abs(i - n / 2) / (n / 2)),
}


@pytest.mark.parametrize("count", [16, 11])
@pytest.mark.parametrize("kind", EASE)
def test_easing_is_its_formula_at_every_place(kind, count):
    found = spread(kind, SMALL if count == 16 else LARGE, 1.4)
    assert found == pytest.approx({i: 1.4 * EASE[kind](i, count) for i in range(count)})


@pytest.mark.parametrize(
    ("kind", "weak"),
    [
        ("weak input", {"input"}),
        ("weak middle", {"middle"}),
        ("weak output", {"output"}),
        ("strong middle", {"input", "output"}),
    ],
)
def test_weakened_parts_have_a_fifth(kind, weak):
    found = spread(kind, SMALL, 2.0)
    parts = ["input"] * 6 + ["middle"] + ["output"] * 9
    assert found == pytest.approx({i: 0.4 if p in weak else 2.0 for i, p in enumerate(parts)})


@pytest.mark.parametrize(
    ("kind", "model", "expected"),
    [
        ("style", LARGE, {6: 0.8}),
        ("composition", LARGE, {3: 0.8}),
        ("strong style", LARGE, {i: 0.8 for i in range(11) if i != 3}),
        ("style and composition", LARGE, {3: 0.5, 6: 0.8}),
        ("style", SMALL, dict.fromkeys([0, 1, 2, 3, 9, 10, 11, 12, 13, 14, 15], 0.8)),
        ("composition", SMALL, {4: 0.2, 5: 0.8}),
        ("strong style", SMALL, {i: 0.8 for i in range(16) if i not in (4, 5)}),
        (
            "style and composition", SMALL,
            dict.fromkeys([0, 1, 2, 3, *range(9, 16)], 0.8) | {4: 0.125, 5: 0.5},
        ),
    ],
)  # fmt: skip
def test_concepts_act_at_their_places_alone(kind, model, expected):
    found = spread(kind, model, 0.8, 0.5)
    assert found == pytest.approx(expected)
    assert list(found) == sorted(found)


@pytest.mark.parametrize("kind", WEIGHT_TYPES)
def test_weight_0_is_0_everywhere(kind):
    assert set(spread(kind, LARGE, 0.0, 0.0).values()) == {0.0}


def test_an_unknown_type_is_refused_with_the_known():
    with pytest.raises(InputError, match="no weight type 'strongest'; choose from linear, ease in"):
        spread("strongest", SMALL)


def test_concepts_of_another_model_are_refused():
    with pytest.raises(InputError, match=r"16 and 11 places\), but this model has 3; choose anoth"):
        spread("style", {0: "input", 1: "middle", 2: "output"})


def test_a_string_names_places_and_the_rest_is_not_applied():
    assert from_text("3:2.5, 6:1,", LARGE, 0.5) == {3: 1.25, 6: 0.5}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("6", "found '6', needed PLACE:WEIGHT, such as 6:1.5"),
        ("six:1", "found 'six:1', needed PLACE"),
        ("6:high", "found '6:high', needed PLACE"),
        ("11:1", "place 11 does not exist; needed places of 0 to 10, each once"),
        ("-1:1", "place -1 does not exist"),
        ("6:1,6:2", "place 6 is named twice"),
        ("6:inf", "weight of place 6 is inf; it must be a finite number"),
        (" , ", "found nothing, needed PLACE:WEIGHT"),
    ],
)
def test_a_string_that_makes_no_sense_is_refused(text, said):
    with pytest.raises(InputError, match=said):
        from_text(text, LARGE)


@pytest.mark.parametrize(
    ("kind", "model", "style", "layout"),
    [
        ("precise style", LARGE, {6: 0.8}, {3: 0.8}),
        ("precise composition", LARGE, {6: 0.8}, {3: 0.8}),
        ("precise style", SMALL, dict.fromkeys([*range(4), *range(9, 16)], 0.8), {4: 0.2, 5: 0.8}),
        (
            "precise composition", SMALL,
            dict.fromkeys([*range(4), *range(9, 16)], 0.8), {4: 0.2, 5: 0.8},
        ),
    ],
)  # fmt: skip
def test_precise_types_turn_the_other_concept_round(kind, model, style, layout):
    assert spread(kind, model, 0.8, 0.1) == pytest.approx(style | layout)
    assert turned_round(kind, model) == set(layout if kind == "precise style" else style)


def test_no_other_type_turns_anything_round():
    for kind in WEIGHT_TYPES:
        assert bool(turned_round(kind, LARGE)) == kind.startswith("precise")


def test_transformers_have_no_parts_to_weaken():
    blocks = {0: "double", 1: "double", 2: "single"}
    assert spread("ease out", blocks, 2.0) == pytest.approx(
        {0: 0.1, 1: 0.1 + 1.9 / 3, 2: 0.1 + 3.8 / 3}
    )
    with pytest.raises(InputError, match=r"'weak input' is for UNets.* double and single blocks"):
        spread("weak input", blocks)
    with pytest.raises(InputError, match=r"known for SD1\.5 and SDXL"):
        spread("precise style", blocks)
