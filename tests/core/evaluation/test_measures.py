"""Measures with known answers, and what they say of real pictures."""

from dataclasses import replace

import pytest
import torch

from mm_core.embedded.scenes.content import TWO_OBJECTS, sample_content
from mm_core.embedded.scenes.style import sample_style
from mm_core.evaluation.measures import (
    BETTER,
    Truth,
    _holds,
    _iou,
    _mean_iou,
    _pck,
    measure,
    read,
)
from mm_core.evaluation.oracle import CELL_HEADS, GLOBAL_HEADS, GRID, Reading
from mm_core.evaluation.suite import _rolled

LEFT, RIGHT, ABOVE, BELOW = range(4)


@pytest.mark.parametrize(
    ("b", "true"),
    [
        ((0.9, 0.5), {LEFT}),
        ((0.1, 0.5), {RIGHT}),
        ((0.5, 0.9), {ABOVE}),
        ((0.5, 0.1), {BELOW}),
        ((0.9, 0.8), {LEFT}),  # more to the side than below
        ((0.52, 0.5), set()),  # too little to tell
    ],
)
def test_a_relation_holds_along_its_main_axis(b, true):
    a = torch.tensor([[0.5, 0.5]] * 4)
    found = _holds(a, torch.tensor([b] * 4), torch.arange(4))
    assert set(found.nonzero()[:, 0].tolist()) == true


def test_iou_is_the_shared_part_of_the_union():
    a = torch.tensor([[1, 1, 0, 0], [0, 0, 0, 0]]).bool()
    b = torch.tensor([[0, 1, 1, 0], [0, 0, 0, 0]]).bool()
    assert _iou(a, b).tolist() == pytest.approx([1 / 3, 0])


def test_mean_iou_is_over_the_classes_that_either_shows():
    seen, wanted = torch.zeros(2, 2, 4, dtype=torch.long)
    seen[0, 2:], wanted[:, 3] = 3, 3  # ground: 5 of 7 pixels; class 3: 1 of 3
    assert _mean_iou(seen[None], wanted[None]).tolist() == pytest.approx([(5 / 7 + 1 / 3) / 2])


def test_mean_iou_of_equal_maps_is_1(scenes):
    assert _mean_iou(scenes.segment.long(), scenes.segment.long()).tolist() == [1.0] * len(scenes)


@pytest.fixture
def blank():
    """A reading of four pictures in which nothing is found."""
    return Reading(
        cell={k: torch.full((4, n, GRID, GRID), -5.0) for k, n in CELL_HEADS.items()},
        whole={k: torch.zeros(4, n) for k, n in GLOBAL_HEADS.items()},
        depth=torch.zeros(4, 1, 64, 64),
        segment=torch.zeros(4, 8, 64, 64),
        joints=torch.zeros(4, 14, 32, 32),
        feature=torch.zeros(4, 160),
    )


@pytest.fixture
def truth(scenes):
    """Four scenes of two objects each: a red circle left of a blue ring."""
    rng = torch.Generator().manual_seed(0)
    content = replace(
        sample_content(rng, 4),
        kind=torch.full((4,), TWO_OBJECTS),
        has=torch.tensor([[True, True, False]]).expand(4, 3),
        color=torch.tensor([[0, 2]]).expand(4, 2),
        shape=torch.tensor([[0, 4]]).expand(4, 2),
        relation=torch.full((4,), LEFT),
    )
    depth, segment = scenes.depth[:4].float() / 255, scenes.segment[:4].long()
    return Truth(content, sample_style(rng, 4), depth, segment)


def put(reading, picture, cell, color, shape):
    row, column = cell
    reading.cell["object"][picture, 0, row, column] = 5
    reading.cell["color"][picture, color, row, column] = 5
    reading.cell["shape"][picture, shape, row, column] = 5


def test_objects_are_read_where_they_are_found_in_whatever_order(blank, truth):
    put(blank, 0, (8, 3), 0, 0)  # as it should be
    put(blank, 0, (8, 12), 2, 4)
    put(blank, 1, (8, 3), 2, 4)  # sides changed
    put(blank, 1, (8, 12), 0, 0)
    put(blank, 2, (8, 3), 0, 0)  # the second has the wrong colour
    put(blank, 2, (8, 12), 5, 4)
    put(blank, 3, (8, 3), 0, 0)  # the second has the wrong shape
    put(blank, 3, (8, 12), 2, 5)
    found = measure(blank, truth)
    assert found["text_color"].view(4, 2).tolist() == [[1, 1], [1, 1], [1, 0], [1, 1]]
    assert found["text_shape"].view(4, 2).tolist() == [[1, 1], [1, 1], [1, 1], [1, 0]]
    assert found["text_relation"].tolist() == [1, 0, 1, 1]


def test_two_objects_need_two_peaks(blank, truth):
    put(blank, 0, (8, 3), 0, 0)
    put(blank, 0, (8, 4), 2, 4)  # the same peak
    blank.cell["object"][0, 0, 8, 4] = 4
    assert measure(blank, truth)["text_color"].view(4, 2)[0].sum() < 2


def test_joints_count_within_a_twentieth_of_the_picture(blank, truth):
    content = replace(
        truth.content,
        has=torch.tensor([[True, False, True]]).expand(4, 3),
        joints=torch.full((4, 14, 2), 0.515625),  # the middle of cell 16 of 32
    )
    blank.joints[:, :, 16, 16] = 1
    assert _pck(blank, content, 0.05).tolist() == [1.0] * 56
    blank.joints[0, 3, 16, 17] = 2  # one cell away: 0.031
    blank.joints[0, 4, 16, 18] = 2  # two cells away: 0.0625
    assert _pck(blank, content, 0.05).view(4, 14)[0].tolist() == [1] * 4 + [0] + [1] * 9


def test_only_persons_have_joints_and_shirts(blank, truth):
    found = measure(blank, truth)
    assert len(found["pose_pck05"]) == len(found["shirt"]) == 0


def test_depth_is_measured_up_to_scale_and_its_silhouette_is_not(blank, truth):
    blank = replace(blank, depth=0.5 * truth.depth + 0.1)
    assert measure(blank, truth)["depth_r"].tolist() == pytest.approx([1.0] * 4, abs=1e-4)
    whole = replace(blank, depth=truth.depth)
    assert measure(whole, truth)["depth_iou"].tolist() == pytest.approx([1.0] * 4)
    assert measure(blank, truth)["depth_iou"].mean() < 1


def test_a_sound_counts_where_both_note_and_timbre_are_right(blank, truth):
    content = replace(
        truth.content,
        note=torch.tensor([1, 1, 1, -1]),
        timbre=torch.tensor([2, 2, 2, -1]),
    )
    blank.whole["note"][[0, 1, 3], 1] = 1  # picture 2 is heard as note 0
    blank.whole["timbre"][[0, 2, 3], 2] = 1  # picture 1 is heard as timbre 0
    assert measure(blank, replace(truth, content=content))["audio"].tolist() == [1, 0, 0]


def test_the_palette_error_is_the_mean_over_six_values(blank, truth):
    blank.whole["palette"] = truth.style.palette() + 0.06
    found = measure(blank, truth)["style_palette_mae"]
    assert found.tolist() == pytest.approx([0.06] * 4, abs=1e-5)


def means(found):
    return {name: values.mean().item() for name, values in found.items()}


def test_real_pictures_measure_near_the_ceiling(reading, case):
    found = means(measure(reading, case.truth))
    assert found.keys() == BETTER.keys()
    assert found.pop("style_palette_mae") < 0.08
    assert {name: v for name, v in found.items() if v < 0.8} == {}
    assert sum(found.values()) / len(found) > 0.9


def test_pictures_of_other_scenes_measure_far_below(reading, case):
    found = means(measure(_rolled(reading), case.truth))
    assert found.pop("style_palette_mae") > 0.1
    assert {name: v for name, v in found.items() if v > 0.75} == {}
    assert sum(found.values()) / len(found) < 0.5


def test_reading_in_small_batches_is_reading_at_once(oracle, case):
    once, parts = (read(oracle, case.picture[:6], batch) for batch in (64, 4))
    torch.testing.assert_close(parts.depth, once.depth, rtol=0, atol=1e-4)
    torch.testing.assert_close(parts.whole["family"], once.whole["family"], rtol=0, atol=1e-3)
