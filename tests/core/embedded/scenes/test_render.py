"""Pictures, depth and segmentation of scenes whose every pixel can be foretold."""

import math
from dataclasses import replace

import pytest
import torch

from mm_core.embedded.scenes.attributes import (
    COLOR_RGB,
    FRAME_PIXELS,
    NOTE_RGB,
    PIXELS,
    SEGMENTS,
    SHAPES,
)
from mm_core.embedded.scenes.content import ONE_OBJECT, PERSON, TWO_OBJECTS, sample_content
from mm_core.embedded.scenes.dataset import concatenate, take
from mm_core.embedded.scenes.render import render
from mm_core.embedded.scenes.style import sample_style

SILHOUETTE = 0.32  # between all ground (at most 0.25) and all things (at least 0.4)


@pytest.fixture(scope="module")
def world():
    rng = torch.Generator().manual_seed(4)
    return sample_style(rng, 12), sample_content(rng, 12)


@pytest.fixture(scope="module")
def rendered(world):
    return render(*world)


@pytest.fixture
def single():
    """A large near red circle in the middle, in silence."""
    rng = torch.Generator().manual_seed(0)
    content = sample_content(rng, 40)
    content = take(content, (content.kind == ONE_OBJECT).nonzero()[:1, 0])
    return sample_style(rng, 1), replace(
        content,
        color=torch.zeros(1, 2, dtype=torch.long),
        shape=torch.zeros(1, 2, dtype=torch.long),
        center=torch.full((1, 2, 2), 0.5),
        radius=torch.full((1, 2), 0.2),
        nearness=torch.full((1, 3), 0.8),
        ground=torch.zeros(1, 2),
        note=torch.tensor([-1]),
        timbre=torch.tensor([-1]),
    )


def away_from_edges(segment):
    """Pixels whose neighbours all belong to the same thing."""
    like = torch.nn.functional.max_pool2d
    values = segment[:, None].float()
    return (like(values, 5, 1, 2) == -like(-values, 5, 1, 2))[:, 0]


def test_a_silhouette_in_depth_is_one_in_the_segmentation(rendered):
    _, depth, segment = rendered
    sure = away_from_edges(segment)
    assert torch.equal((depth[:, 0] > SILHOUETTE)[sure], (segment > 0)[sure])


def test_a_circle_covers_the_area_of_a_circle(single):
    _, _, segment = render(*single)
    share = (segment == 1 + SHAPES.index("circle")).float().mean().item()
    assert share == pytest.approx(math.pi * 0.2**2, rel=0.02)


def test_a_thing_is_as_near_as_its_content_says(single):
    _, depth, segment = render(*single)
    inside = (segment > 0) & away_from_edges(segment)
    torch.testing.assert_close(
        depth[:, 0][inside], torch.full((int(inside.sum()),), 0.8), rtol=0, atol=1e-3
    )  # two pixels inside, the edge is all but over


def test_the_ground_rises_from_its_upper_to_its_lower_level(single):
    style, content = single
    content = replace(content, has=torch.zeros(1, 3, dtype=torch.bool))
    _, depth, _ = render(style, replace(content, ground=torch.tensor([[0.05, 0.2]])))
    middle = (torch.arange(PIXELS) + 0.5) / PIXELS
    torch.testing.assert_close(depth[0, 0, :, 7], 0.05 * (1 - middle) + 0.2 * middle)


@pytest.mark.parametrize("color", range(len(COLOR_RGB)))
def test_a_thing_has_its_colour(single, color):
    style, content = single
    content = replace(
        content, color=torch.full((1, 2), color), nearness=torch.ones(1, 3)
    )  # nearest: no mist
    picture, _, segment = render(style, content)
    inside = (segment[0] > 0) & away_from_edges(segment)[0]
    mean = picture[0][:, inside].mean(1)
    assert (COLOR_RGB - mean).norm(dim=1).argmin() == color


def test_far_things_fade_into_the_colour_of_the_ground(single):
    style, content = single
    mist = (style.first + style.second) / 2

    def gap(near):
        picture, _, _ = render(style, replace(content, nearness=torch.full((1, 3), near)))
        return (picture[0, :, 70, 70] - mist[0]).norm()

    assert gap(0.4) < 0.8 * gap(1.0)


def test_the_nearer_of_two_things_hides_the_other(single):
    style, content = single
    both = replace(
        content,
        kind=torch.tensor([TWO_OBJECTS]),
        has=torch.tensor([[True, True, False]]),
        shape=torch.tensor([[0, 1]]),
        nearness=torch.tensor([[0.5, 0.9, 0.7]]),
    )
    turned = replace(both, nearness=both.nearness[:, [1, 0, 2]])
    assert render(style, both)[2][0, 64, 64] == 1 + SHAPES.index("square")
    assert render(style, turned)[2][0, 64, 64] == 1 + SHAPES.index("circle")


def test_a_person_is_labelled_as_one_and_only_where_there_is_one(world, rendered):
    person = SEGMENTS.index("person")
    shown = (rendered[2] == person).flatten(1).any(1)
    assert torch.equal(shown, world[1].has[:, 2])
    assert (world[1].kind == PERSON).any()


def test_every_thing_can_be_seen(world, rendered):
    content, segment = world[1], rendered[2]
    for i in range(12):
        for k in range(2):
            if content.has[i, k]:
                assert (segment[i] == 1 + content.shape[i, k]).float().mean() > 0.01


@pytest.mark.parametrize("note", range(len(NOTE_RGB)))
@pytest.mark.parametrize(("timbre", "share"), [(0, 1.0), (1, 0.5), (2, 0.52)])
def test_the_frame_has_the_colour_of_its_note_in_the_pattern_of_its_timbre(
    single, note, timbre, share
):
    style, content = single
    content = replace(content, note=torch.tensor([note]), timbre=torch.tensor([timbre]))
    picture, _, _ = render(style, content)
    ring = torch.ones(PIXELS, PIXELS, dtype=torch.bool)
    ring[FRAME_PIXELS:-FRAME_PIXELS, FRAME_PIXELS:-FRAME_PIXELS] = False
    frame = picture[0][:, ring].T
    inked = (frame - NOTE_RGB[note]).abs().amax(1) < 1e-6
    assert inked.float().mean().item() == pytest.approx(share, abs=0.01)
    assert (frame[~inked] < 0.1).all()


def test_a_rimmed_frame_is_inked_outside_and_a_dashed_one_by_turns(single):
    style, content = single
    two = concatenate([replace(content, note=torch.tensor([0]), timbre=torch.tensor([t]))
                       for t in (1, 2)])  # fmt: skip
    dashed, rimmed = render(take(style, torch.zeros(2, dtype=torch.long)), two)[0]
    inked = [(p[:, 0:8:4, 4::8] - NOTE_RGB[0][:, None, None]).abs().amax(0) < 1e-6
             for p in (dashed, rimmed)]  # fmt: skip
    assert inked[0].tolist() == [[k % 2 == 0 for k in range(16)]] * 2
    assert inked[1].tolist() == [[True] * 16, [False] * 15 + [True]]  # outer: 124..127


def test_silence_has_no_frame_and_nothing_but_the_frame_depends_on_sound(single):
    style, content = single
    silent = render(style, content)[0]
    loud = render(style, replace(content, note=torch.tensor([2]), timbre=torch.tensor([0])))[0]
    inner = slice(FRAME_PIXELS, -FRAME_PIXELS)
    assert torch.equal(silent[:, :, inner, inner], loud[:, :, inner, inner])
    assert (silent[0, :, 0, :] - NOTE_RGB[2][:, None]).abs().amax(0).min() > 0.1


def test_scenes_of_a_batch_do_not_see_each_other(world, rendered):
    for i in (0, 7):
        alone = render(take(world[0], slice(i, i + 1)), take(world[1], slice(i, i + 1)))
        for one, many in zip(alone, rendered, strict=True):
            torch.testing.assert_close(one[0], many[i], rtol=0, atol=1e-6)
