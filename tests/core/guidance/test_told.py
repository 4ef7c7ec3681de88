"""Terms as reports tell of them, where images of a batch have plans of their own."""

import pytest
import torch

from mm_core.guidance.compositions import COMPOSITIONS
from mm_core.guidance.program import Program
from mm_core.guidance.told import of_batch
from mm_core.types import Modality, Moment


def program(composition, text=(3.0, 0.0, 1.5), style=2.0):
    return Program((Modality("text", text), Modality("style", style)), composition)


def drawn(plan, images):
    rng = torch.Generator().manual_seed(3)
    return {row: torch.randn(images, 2, 3, 3, generator=rng) for row in plan.rows}


def test_one_plan_for_all_is_told_as_it_is():
    plan = program("leave_one_out", text=3.0).plan_at(Moment(0.5))
    rows = drawn(plan, 2)
    told = of_batch(plan, rows, list(rows))
    assert told.terms == plan.terms
    assert told.rows == rows
    assert told.subjects == ("text", "style")
    assert told.stale == (False, False)


@pytest.mark.parametrize(
    "composition", sorted(set(COMPOSITIONS) & {"leave_one_out", "independent"})
)
def test_every_subject_is_told_once_with_each_images_own_push(composition):
    """Image by image the terms are those of a run with that image's numbers for all."""
    plan = program(composition).plan_at(Moment(0.5))
    rows = drawn(plan, 3)
    told = of_batch(plan, rows, list(rows))
    assert sorted(told.subjects) == ["style", "text"]
    for image, weight in enumerate((3.0, 0.0, 1.5)):
        alone = program(composition, text=weight).plan_at(Moment(0.5))
        own = of_batch(alone, {row: rows[row] for row in alone.rows}, list(rows))
        for subject in ("text", "style"):
            wanted = pushed(own, subject, image)
            torch.testing.assert_close(pushed(told, subject, image), wanted)


def pushed(told, subject, image):
    """What a subject's terms add to an image."""
    total = torch.zeros(2, 3, 3)
    for term, name in zip(told.terms, told.subjects, strict=True):
        if name == subject:
            weight = term.weight
            if isinstance(weight, torch.Tensor):
                weight = weight[image if len(weight) > 1 else 0]
            total = total + weight * (told.rows[term.plus] - told.rows[term.minus])[image]
    return total


def test_a_term_is_stale_where_one_image_reads_a_row_that_was_kept():
    plan = program("leave_one_out").plan_at(Moment(0.5))
    rows = drawn(plan, 3)
    kept = next(row for row in rows if row.names == ("style",))
    told = of_batch(plan, rows, [row for row in rows if row != kept])
    assert dict(zip(told.subjects, told.stale, strict=True))["text"]
