"""Weights over a run: windows, push, and which rows any moment needs."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mm_core.errors import PlanError
from mm_core.guidance.algebra import combine
from mm_core.guidance.compositions import COMPOSITIONS
from mm_core.guidance.program import SUMMED, Program, auto_named
from mm_core.guidance.schedule import Schedule
from mm_core.types import NULL, Modality, Moment, Row, Window

twentieths = st.integers(0, 20).map(lambda k: k / 20)
MOMENTS = [k / 20 + more for k in range(20) for more in (0, 0.02, 0.04)]  # on bounds and between
some_windows = st.tuples(twentieths, twentieths).map(lambda ends: Window(min(ends), max(ends)))
some_choices = st.lists(st.tuples(st.sampled_from([-1.0, 0.0, 1.0, 2.5]), some_windows), max_size=4)


def modalities_of(choices):
    return tuple(Modality(n, w, o) for n, (w, o) in zip("abcd", choices, strict=False))


def seen(program, progress):
    return {name for row in program.plan_at(progress).rows for name in row.names}


def test_a_modality_is_seen_inside_its_window_only():
    program = Program((Modality("a", 3.0, Window(0.2, 0.6)),))
    assert [seen(program, p) for p in (0.0, 0.19, 0.2, 0.59, 0.6, 0.99)] == [
        set(), set(), {"a"}, {"a"}, set(), set(),
    ]  # fmt: skip


@pytest.mark.parametrize("at", [0.0, 0.5, 1.0])
def test_a_window_of_equal_ends_never_acts(at):
    program = Program((Modality("a", 3.0, Window(at, at)),))
    assert all(program.plan_at(k / 100).rows == (NULL,) for k in range(101))


@given(meet=twentieths)
def test_windows_that_meet_never_both_act_and_one_always_does(meet):
    first, second = Modality("a", 2.0, Window(0.0, meet)), Modality("b", 2.0, Window(meet, 1.0))
    program = Program((first, second))
    assert all(len(seen(program, at)) == 1 for at in MOMENTS)


@given(choices=some_choices, composition=st.sampled_from(list(COMPOSITIONS)))
def test_rows_are_those_that_some_moment_needs(choices, composition):
    modalities = modalities_of(choices)
    if composition == "perp_neg":
        modalities = (*modalities, Modality("e", 3.0))
    program = Program(modalities, composition)
    needed = {row for at in MOMENTS for row in program.plan_at(at).rows}
    assert set(program.rows()) == needed


def test_a_modality_of_weight_0_is_never_seen():
    program = Program((Modality("a", 0.0), Modality("b", 2.0)), push=3.0)
    assert seen(program, 0.0) == {"b"}


@pytest.mark.parametrize("composition", ["leave_one_out", "chained", "nested", "joint"])
def test_push_0_is_the_model_by_itself_in_one_row(composition):
    modalities = (Modality("a", 7.0), Modality("b", -2.0), Modality("c", 0.5))
    program = Program(modalities, composition, push=0.0)
    assert program.plan_at(0.3).coefficients == {Row.of("abc"): 1.0}


def test_push_multiplies_the_distance_of_a_weight_from_1():
    doubled = Program((Modality("a", 3.0),), push=2.0)
    assert doubled.plan_at(0.0).coefficients == {Row.of("a"): 5.0, NULL: -4.0}


def test_push_never_turns_what_is_to_be_avoided_into_what_is_wanted():
    program = Program((Modality("a", 4.0), Modality("b", -1.0)), "perp_neg", push=0.3)
    (avoided,) = program.plan_at(0.0).across
    assert (avoided.plus, avoided.weight) == (Row.of("b"), pytest.approx(-0.3))


def test_the_strongest_push_is_the_largest_distance_from_1():
    modalities = (Modality("a", 3.0), Modality("b", -4.0))
    assert Program(modalities).strongest_push == 5.0
    assert Program(modalities, push=0.5).strongest_push == 2.5
    assert Program(()).strongest_push == 0.0


def test_edges_are_the_ends_of_windows_from_0_up():
    a, b = Modality("a", 2.0, Window(0.25, 1.0)), Modality("b", 2.0, Window(0.1, 0.25))
    assert Program((a, b)).edges() == (0.0, 0.1, 0.25)


def test_a_schedule_scales_the_push_and_leaves_the_modality_seen():
    half = Schedule("window", start=0.5)
    program = Program((Modality("a", 5.0, schedule=half), Modality("b", 2.0)))
    early, late = program.plan_at(0.2), program.plan_at(0.7)
    assert early.coefficients == {Row.of("ab"): 2.0, Row.of("a"): -1.0}
    assert late.coefficients == {Row.of("ab"): 6.0, Row.of("b"): -4.0, Row.of("a"): -1.0}


def test_rows_of_schedules_are_found_between_their_edges():
    rise = Schedule("linear", start=0.2, end=0.8)  # 0 up to 0.2, then more and more
    program = Program((Modality("a", 5.0, schedule=rise), Modality("b", 1.0)))
    needed = {row for at in MOMENTS for row in program.plan_at(at).rows}
    assert set(program.rows()) == needed == {Row.of("ab"), Row.of("b")}


@pytest.mark.parametrize("composition", [*COMPOSITIONS, "strengths"])
def test_rows_cover_every_value_of_schedules_masks_and_lists(composition):
    bell, late = Schedule("bell", center=0.02, width=0.4), Schedule("window", start=0.9)
    band = Schedule("band", low=40.0, high=60.0)
    tall, wide = torch.ones(1, 9, 3), torch.ones(2, 3, 9)
    several = [
        [Modality("a", 3.0, schedule=bell), Modality("b", 3.0, schedule=bell), Modality("c", 2.0)],
        [Modality("a", 3.0, schedule=bell), Modality("b", 3.0, schedule=late), Modality("c", 3.0)],
        [Modality("a", 2.0, schedule=band), Modality("b", 2.0), Modality("c", 2.0, group="g")],
        [Modality("a", 2.0, schedule=band, continuous=False), Modality("b", 1.0)],
    ]
    if composition != "perp_neg":
        several += [[Modality("a", 2.0, mask=tall), Modality("b", 2.0, mask=wide)]]
        several += [[Modality("a", (3.0, -1.0)), Modality("b", (1.0, 1.0)), Modality("c", 2.0)]]
    for modalities in several:
        program = Program(tuple(modalities), composition)
        registered = set(program.rows())
        fitted = program.fitted(2, 4, 4)
        mixed = composition == "weighted_negative" and any(len(m.weights) > 1 for m in modalities)
        moments = [Moment(k / 10, n) for k in range(11) for n in (0.0, 0.02, 50.0, math.inf)]
        # -1 takes c through 0, and with it the strengths of a mixed row.
        for push in (1.0, 0.0, 0.4) if mixed else (1.0, 0.0, 0.4, -1.0):
            for moment in moments:
                assert registered.issuperset(fitted.pushed(push).plan_at(moment).rows)


def test_averaged_weights_are_the_mean_over_places_and_0_stays_0():
    half = torch.tensor([[[1.0, 0.0]]])
    modalities = (Modality("a", (5.0, 9.0, 0.0), mask=half), Modality("b", 0.0, mask=half))
    shown = Program((*modalities, Modality("c", 2.0))).averaged().modalities
    assert [(m.weight, m.mask) for m in shown] == [
        ((3.0, 5.0, 0.0), None),
        (0.0, None),
        (2.0, None),
    ]


IMAGES = {
    "leave_one_out": [
        {"ab": 5.0, "b": -2.0, "a": -2.0},
        {"b": 3.0, "": -2.0},
        {"ab": 3.0, "a": -2.0},
    ],
    "independent": [
        {"a": 3.0, "b": 3.0, "": -5.0},
        {"b": 3.0, "": -2.0},
        {"a": 1.0, "b": 3.0, "": -3.0},
    ],
    "chained": [{"ab": 3.0, "": -2.0}, {"b": 3.0, "": -2.0}, {"ab": 3.0, "a": -2.0}],
    "nested": [{"ab": 9.0, "a": -6.0, "": -2.0}, {"b": 3.0, "": -2.0}, {"ab": 3.0, "a": -2.0}],
    "joint": [{"ab": 3.0, "": -2.0}, {"b": 3.0, "": -2.0}, {"ab": 2.0, "": -1.0}],
    "weighted_negative": [{"ab": 3.0, "": -2.0}, {"b": 3.0, "": -2.0}, {"ab": 3.0, "a": -2.0}],
    "perp_neg": [{"ab": 3.0, "": -2.0}, {"b": 3.0, "": -2.0}, {"ab": 2.0, "": -1.0}],
}
"""By hand, for three images in which a has the weights 3, 0 and 1, and b 3 in all."""


@pytest.mark.parametrize("composition", COMPOSITIONS)
def test_an_image_of_weight_0_is_guided_as_if_the_input_were_not_there(composition, noise):
    program = Program((Modality("a", (3.0, 0.0, 1.0)), Modality("b", 3.0)), composition)
    plan = program.plan_at(0.5)
    seen = {row: noise(3, 2, 4, 4) for row in plan.rows}
    found = combine(seen, plan)
    for k, by_hand in enumerate(IMAGES[composition]):
        wanted = sum(c * seen[Row.of(names)][k].double() for names, c in by_hand.items())
        torch.testing.assert_close(found[k], wanted.float(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("composition", COMPOSITIONS)
def test_the_sum_over_images_has_the_coefficients_of_each(composition):
    program = Program((Modality("a", (3.0, 0.0, 1.0)), Modality("b", 3.0)), composition)
    coefficients = program.plan_at(0.5).coefficients
    for k, by_hand in enumerate(IMAGES[composition]):
        here = {
            row: float(torch.as_tensor(c).expand(3, 1, 1)[k]) for row, c in coefficients.items()
        }
        assert {r: c for r, c in here.items() if abs(c) > 1e-6} == pytest.approx(
            {Row.of(names): c for names, c in by_hand.items()}
        )


@pytest.mark.parametrize(
    ("composition", "overlap"),
    [*((c, 0.0) for c in (*COMPOSITIONS, "strengths")), *((c, 1.0) for c in SUMMED)],
)
def test_an_image_of_a_batch_is_the_one_that_its_weights_and_mask_make_alone(
    composition, overlap, noise
):
    lists = {"a": (4.0, 0.0, 1.0, -2.0, 0.0), "b": (1.5, 2.0, 0.0, 0.0, 0.0)}
    masks = noise(5, 4, 4).sigmoid()

    def program(image=None):
        weights = {n: w if image is None else w[image] for n, w in lists.items()}
        mask = masks if image is None else masks[image][None]
        told = [Modality(n, w) for n, w in weights.items()]
        told.append(Modality("c", 2.0, mask=None if composition == "perp_neg" else mask))
        return Program(tuple(told), composition, overlap=overlap)

    plan = program().plan_at(0.5)
    seen = {row: noise(5, 2, 4, 4) for row in plan.rows}
    found = combine(seen, plan)
    for k in range(5):
        alone = program(k).plan_at(0.5)
        wanted = combine({row: seen[row][k : k + 1] for row in alone.rows}, alone)
        assert torch.equal(found[k : k + 1], wanted)


def test_images_that_are_guided_alike_share_a_plan():
    plan = Program((Modality("a", (3.0, 1.0, 3.0)), Modality("b", 2.0))).plan_at(0.0)
    assert [part.images for part in plan.parts] == [(0, 2), (1,)]
    assert Program((Modality("a", (3.0, 3.0)),)).plan_at(0.0) == Program(
        (Modality("a", 3.0),)
    ).plan_at(0.0)


def test_what_is_hidden_is_not_seen():
    program = Program((Modality("a", 3.0), Modality("b", 2.0)))
    assert program.plan_at(0.5, hidden=["a"]) == Program((Modality("b", 2.0),)).plan_at(0.5)


def test_a_modality_acts_only_where_its_source_exists():
    parts = (Window(0.0, 0.2), Window(0.6, 0.8))
    program = Program((Modality("a", 3.0, Window(0.1, 0.7), within=parts),))
    assert [seen(program, p) for p in (0.0, 0.1, 0.2, 0.6, 0.7)] == [
        set(), {"a"}, set(), {"a"}, set(),
    ]  # fmt: skip
    assert program.edges() == (0.0, 0.1, 0.2, 0.6, 0.7, 0.8)


def test_draft_takes_no_schedules():
    bell = Schedule("bell")
    weights = (("a", 1.4, bell), ("b", 0.7, None))
    scheduled = Program(tuple(Modality(n, w, schedule=s) for n, w, s in weights), "strengths")
    assert scheduled.plan_at(0.3).rows == (Row.of({"a": 1.4, "b": 0.7}),)


def test_schedules_that_differ_do_not_share_a_mixed_row():
    half = Schedule("window", end=0.5)
    program = Program(
        (Modality("a", 3.0, schedule=half), Modality("b", 2.0), Modality("c", 4.0)),
        "weighted_negative",
    )
    assert set(program.plan_at(0.2).rows) == {
        Row.of("abc"), Row.of("bc"), Row.of({"a": 1.0, "b": 0.666666667}),
    }  # fmt: skip
    assert set(program.plan_at(0.7).rows) == {Row.of("abc"), Row.of({"a": 1.0, "b": 0.666666667})}


def test_a_weight_on_its_way_through_0_still_sees_its_modality():
    down = Schedule("linear", first=1.0, last=3.0)
    program = Program((Modality("a", 0.5, schedule=down), Modality("b", 2.0)))
    assert seen(program, 0.5) == {"a", "b"}  # 1 + (0.5 - 1) * 2 = 0


def test_weights_for_each_image_and_masks_become_gains():
    left = torch.tensor([[[1.0, 0.0]]])
    program = Program((Modality("a", (3.0, 1.0), mask=left),))
    plan = program.fitted(2, 1, 2).plan_at(0.0)
    assert torch.equal(plan.coefficients[Row.of("a")], torch.tensor([[[3.0, 1.0]], [[1.0, 1.0]]]))


@pytest.mark.parametrize(
    ("modality", "words"),
    [
        (Modality("a", (1.0, 2.0, 3.0)), "a has 3 weights for a batch of 4; needed one"),
        (Modality("a", 2.0, mask=torch.ones(2, 8, 8)), "a has 2 masks for a batch of 4"),
    ],
)
def test_lists_of_another_length_than_the_batch_are_refused(modality, words):
    with pytest.raises(PlanError, match=words):
        Program((modality,)).fitted(4, 16, 16)


def test_masks_are_brought_to_the_size_of_the_latent():
    mask = torch.zeros(1, 64, 32)
    mask[:, :, 16:] = 1
    for rows, columns in ((8, 4), (128, 64)):
        found = Program((Modality("a", 2.0, mask=mask),)).fitted(3, rows, columns)
        small = found.modalities[0].mask
        assert small.shape == (1, rows, columns)
        assert small[0, :, 0].tolist() == [0.0] * rows
        assert small[0, :, -1].tolist() == [1.0] * rows


def test_members_of_a_group_are_dropped_together_with_their_mean_weight():
    group = [Modality(n, w, group="structure") for n, w in (("depth", 2.0), ("pose", 4.0))]
    plan = Program((*group, Modality("text", 1.0))).plan_at(0.0)
    everything = Row.of(["depth", "pose", "text"])
    assert plan.coefficients == {everything: 3.0, Row.of(["text"]): -2.0}


def test_two_modalities_of_one_name_are_refused():
    with pytest.raises(PlanError, match=r"two modalities named \['a'\]; each needs its own name"):
        Program((Modality("a"), Modality("b"), Modality("a")))


def test_an_unknown_composition_is_refused_when_the_program_is_made():
    with pytest.raises(PlanError, match="no composition 'sum'; choose from"):
        Program((), "sum")


@pytest.mark.parametrize("push", [math.nan, math.inf, -math.inf])
def test_a_push_that_is_not_finite_is_refused(push):
    with pytest.raises(PlanError, match=r"the push is .*; it must be a finite number"):
        Program((Modality("a", 2.0),), push=push)


@given(names=st.lists(st.sampled_from(["style", "style 2", "depth", "style 3"]), max_size=8))
def test_auto_naming_makes_all_names_distinct(names):
    named = auto_named(names)
    assert len(set(named)) == len(names)
    assert all(new.startswith(old) for new, old in zip(named, names, strict=True))


def test_auto_naming_counts_from_2_and_leaves_other_names_alone():
    assert auto_named(["style", "text", "style", "style"]) == [
        "style", "text", "style 2", "style 3",
    ]  # fmt: skip


def test_an_input_named_like_a_group_is_not_of_it():
    members = [Modality(n, 2.0, group="a") for n in ("depth", "pose")]
    plan = Program((*members, Modality("group a", 3.0))).plan_at(0.0)
    assert set(plan.rows) == {
        Row.of(["depth", "pose", "group a"]), Row.of(["group a"]), Row.of(["depth", "pose"]),
    }  # fmt: skip


@pytest.mark.parametrize("share", [0.0, -1.0])
def test_what_is_to_be_avoided_never_becomes_wanted_at_any_share(share):
    curve = Schedule("linear", first=share, last=share)
    scheduled = Modality("bad", -2.0, schedule=curve)
    for modality, push in ((Modality("bad", -2.0), share), (scheduled, 1.0)):
        program = Program((Modality("good", 3.0), modality), "perp_neg", push=push)
        assert "bad" not in {n for row in program.plan_at(0.5).rows for n in row.names}


def test_push_0_of_perp_neg_is_what_is_wanted_by_itself():
    modalities = (Modality("good", 3.0), Modality("bad", -2.0))
    plan = Program(modalities, "perp_neg", push=0.0).plan_at(0.5)
    assert plan.coefficients == {Row.of(["good"]): 1.0}


def test_what_is_shown_has_the_weight_where_a_schedule_holds():
    rise = Schedule("linear")
    (shown,) = Program((Modality("a", 5.0, schedule=rise),)).averaged().modalities
    assert (shown.weight, shown.schedule) == (5.0, None)
