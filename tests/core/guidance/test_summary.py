"""A run's totals, from entries small enough to add up by hand."""

import pytest

from mm_core.guidance.summary import cosines, information, shares, subjects, warnings


def step(cosine=0.0, relative=0.1, **terms):
    """An entry with a share and nats for each subject, and one cosine between any two."""
    names = list(terms)
    return {
        "terms": [
            {"subject": n, "share": share, "information": nats}
            for n, (share, nats) in terms.items()
        ],
        "cosines": [[1.0 if a == b else cosine for b in names] for a in names],
        "relative_push": relative,
    }


RUN = [
    step(text=(1.0, 2.0)),
    step(cosine=0.5, text=(0.25, 1.0), style=(0.75, 4.0)),
    step(),
    step(cosine=-0.1, style=(0.25, None), text=(0.75, None)),
]


def test_subjects_come_in_the_order_in_which_they_first_pushed():
    assert subjects(RUN) == ("text", "style")


def test_shares_are_means_over_the_evaluations_that_push():
    assert shares(RUN) == {"text": pytest.approx(2 / 3), "style": pytest.approx(1 / 3)}


def test_information_adds_up_and_unknown_is_none_of_it():
    assert information(RUN) == {"text": 3.0, "style": 4.0}


def test_information_that_is_nowhere_known_is_not_0():
    assert information([step(text=(1.0, None))]) == {}


def test_cosines_are_means_over_the_evaluations_of_both():
    assert cosines(RUN) == [[1.0, pytest.approx(0.2)], [pytest.approx(0.2), 1.0]]


def test_two_that_never_push_at_once_have_no_cosine():
    assert cosines([step(text=(1.0, 0.0)), step(style=(1.0, 0.0))]) == [[1.0, None], [None, 1.0]]


@pytest.mark.parametrize("steps", [[], [step()], [{"noise": 2.0, "fresh": (), "kept": ()}]])
def test_a_run_without_push_has_no_totals(steps):
    assert (shares(steps), information(steps), cosines(steps)) == ({}, {}, [])
    assert warnings(steps) == ()


def test_nothing_out_of_the_ordinary_is_not_warned_of():
    assert warnings([*RUN, step(cosine=-0.3, relative=0.5, text=(1, 1), style=(0, 0))]) == ()


def test_contradicting_inputs_are_named_with_the_lowest_cosine_and_how_often():
    both = {"text": (0.5, 1.0), "style": (0.5, 1.0)}
    (said,) = warnings([step(cosine=c, **both) for c in (-0.2, -0.45, -0.31, 0.9)])
    assert said.startswith("style and text contradict each other: ")
    assert "cosine of down to -0.45, below -0.3 in 2 of 4 evaluations" in said


def test_of_many_contradictions_the_worst_are_named():
    steps = [step(cosine=-0.9 + k / 10, **{f"{k}": (1, 1), "z": (0, 0)}) for k in range(6)]
    assert [w[:7] for w in warnings(steps)] == ["0 and z", "1 and z", "2 and z"]


def test_a_strong_push_is_told_with_its_peak():
    (said,) = warnings([step(relative=r) for r in (0.4, 0.62, 0.51, None)])
    assert "up to 0.62 times the way" in said
    assert "above 0.5 in 2 of 4 evaluations" in said


def test_a_few_evaluations_are_no_reason_to_warn():
    both = {"text": (0.5, 1.0), "style": (0.5, 1.0)}
    steps = [step(cosine=-0.9, relative=1.8, **both)] + [step(cosine=0.1, **both)] * 3
    assert warnings(steps) == ()
