"""What the words say of a scene is true of its numbers."""

import pytest
import torch

from mm_core.embedded.scenes.attributes import ARMS, POSITIONS, RELATIONS
from mm_core.embedded.scenes.content import (
    ONE_OBJECT,
    PERSON,
    PERSON_AND_OBJECT,
    PERSON_BETWEEN,
    TWO_OBJECTS,
    sample_content,
)
from mm_core.embedded.scenes.figure import J

CLEARLY = 0.05  # of the picture: what a measure of relations asks for


@pytest.fixture(scope="module")
def content():
    return sample_content(torch.Generator().manual_seed(1), 2000)


def step(relation, a, b):
    """How far b lies from a in the direction that the word says."""
    (ax, ay), (bx, by) = a.unbind(-1), b.unbind(-1)
    return {"left of": bx - ax, "right of": ax - bx, "above": by - ay, "below": ay - by}[relation]


def torso(content):
    return content.joints[:, [J["neck"], J["r_hip"], J["l_hip"]]].mean(1)


@pytest.mark.parametrize("relation", RELATIONS)
def test_two_objects_stand_as_their_relation_says(content, relation):
    chosen = (content.kind == TWO_OBJECTS) & (content.relation == RELATIONS.index(relation))
    assert chosen.sum() > 50
    first, second = content.center[chosen, 0], content.center[chosen, 1]
    assert step(relation, first, second).min() > CLEARLY


@pytest.mark.parametrize("relation", ["left of", "right of"])
def test_a_person_stands_as_the_relation_to_the_object_says(content, relation):
    chosen = (content.kind == PERSON_AND_OBJECT) & (content.relation == RELATIONS.index(relation))
    assert chosen.sum() > 50
    assert step(relation, torso(content)[chosen], content.center[chosen, 0]).min() > CLEARLY


def test_a_person_between_has_the_first_object_left_and_the_second_right(content):
    chosen = content.kind == PERSON_BETWEEN
    person, (first, second) = torso(content)[chosen], content.center[chosen].unbind(1)
    assert step("left of", first, person).min() > CLEARLY
    assert step("left of", person, second).min() > CLEARLY


def test_a_single_object_is_where_its_position_says(content):
    x, y = content.center[:, 0].unbind(1)
    true = {
        "on the left": x < 0.4,
        "on the right": x > 0.6,
        "at the top": y < 0.4,
        "at the bottom": y > 0.6,
        "in the center": (x - 0.5).abs().maximum((y - 0.5).abs()) < 0.1,
    }
    for index, said in enumerate(POSITIONS):
        chosen = (content.kind == ONE_OBJECT) & (content.position == index)
        assert chosen.sum() > 20
        assert true[said][chosen].all()


def test_only_a_single_object_has_a_position_and_only_pairs_have_a_relation(content):
    assert torch.equal(content.position >= 0, content.kind == ONE_OBJECT)
    pairs = (content.kind == ONE_OBJECT) | (content.kind == PERSON)
    assert torch.equal(content.relation < 0, pairs)


def test_what_a_scene_has_follows_from_its_kind(content):
    table = {
        ONE_OBJECT: [True, False, False],
        TWO_OBJECTS: [True, True, False],
        PERSON: [False, False, True],
        PERSON_AND_OBJECT: [True, False, True],
        PERSON_BETWEEN: [True, True, True],
    }
    expected = torch.tensor([table[k] for k in content.kind.tolist()])
    assert torch.equal(content.has, expected)


def test_every_large_object_is_larger_than_every_small_one(content):
    shown = content.has[:, :2]
    large, small = shown & (content.large == 1), shown & (content.large == 0)
    assert content.radius[small].max() < 0.14 < content.radius[large].min()


def test_objects_lie_inside_the_picture(content):
    shown = content.has[:, :2]
    center, radius = content.center[shown], content.radius[shown][:, None]
    assert (center - radius).min() > 0
    assert (center + radius).max() < 1


def test_arms_are_as_their_word_says(content):
    shoulder = content.joints[:, [J["r_shoulder"], J["l_shoulder"]]]
    wrist = content.joints[:, [J["r_wrist"], J["l_wrist"]]]
    outward = (wrist - shoulder)[..., 0] * torch.tensor([-1.0, 1.0])
    downward = (wrist - shoulder)[..., 1]
    true = {"up": downward < 0, "down": downward > 0.1, "out": outward > 0.15}
    for index, said in enumerate(ARMS):
        assert true[said][content.arms == index].all()


def test_no_scene_has_two_equal_objects(content):
    same = (content.color[:, 0] == content.color[:, 1]) & (
        content.shape[:, 0] == content.shape[:, 1]
    )
    assert not same.any()


def test_things_are_nearer_than_all_ground(content):
    assert content.ground.max() < 0.32 < content.nearness.min()


def test_sound_is_there_or_not_as_a_whole_and_silent_in_three_of_ten(content):
    assert torch.equal(content.note < 0, content.timbre < 0)
    assert (content.note < 0).float().mean() == pytest.approx(0.3, abs=0.04)


def test_kinds_come_in_their_shares(content):
    shares = torch.bincount(content.kind, minlength=5) / 2000
    assert shares.tolist() == pytest.approx([0.26, 0.32, 0.16, 0.18, 0.08], abs=0.04)
