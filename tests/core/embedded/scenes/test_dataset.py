"""Scenes in bulk: reproducible, consistent, and in groups that share a style."""

import random

import pytest
import torch
import torch.nn.functional as F

from mm_core.embedded.scenes.dataset import concatenate, make_scenes, style_partner, take

TENSORS = ("picture", "small", "depth", "skeleton", "segment")


def equal(a, b):
    return (
        all(torch.equal(getattr(a, name), getattr(b, name)) for name in TENSORS)
        and a.captions == b.captions
        and all(torch.equal(vars(a.content)[n], vars(b.content)[n]) for n in vars(a.content))
        and all(torch.equal(vars(a.style)[n], vars(b.style)[n]) for n in vars(a.style))
    )


def test_a_seed_gives_the_same_scenes_whatever_else_draws():
    first = make_scenes(4, seed=3)
    torch.manual_seed(99)
    random.seed(99)
    before = torch.get_rng_state()
    assert equal(make_scenes(4, seed=3), first)
    assert torch.equal(torch.get_rng_state(), before)


def test_another_seed_gives_other_scenes():
    assert not equal(make_scenes(4, seed=3), make_scenes(4, seed=4))


def test_more_scenes_begin_with_the_same_chunks():
    few, many = make_scenes(4, seed=3, chunk=4), make_scenes(12, seed=3, chunk=4)
    assert equal(take(many, slice(0, 4)), few)
    assert len(many) == 12


@pytest.mark.parametrize(("count", "chunk"), [(6, 4), (8, 6)])
def test_a_count_that_breaks_a_style_group_is_refused(count, chunk):
    with pytest.raises(ValueError, match=f"count {count} and chunk {chunk} must be multiples of 4"):
        make_scenes(count, 0, chunk)


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_style_partner_is_another_scene_of_the_same_style(scenes, turn):
    index = torch.arange(len(scenes))
    partner = style_partner(index, turn)
    assert (partner != index).all()
    for name, values in vars(scenes.style).items():
        assert torch.equal(values[partner], values) == (name != "phase")


def test_partners_are_shifted_against_each_other(scenes):
    index = torch.arange(len(scenes))
    assert (scenes.style.phase - scenes.style.phase[style_partner(index)]).abs().min() > 1e-3


def test_groups_differ_in_style(scenes):
    assert len(scenes.style.frequency.unique()) == len(scenes) // 4


def test_the_small_picture_is_the_picture_averaged(scenes):
    expected = F.avg_pool2d(scenes.picture[:4].double(), 2)
    assert (scenes.small[:4] - expected).abs().max() <= 1  # both are rounded to bytes


def test_depth_and_segmentation_agree_at_their_own_size(scenes):
    near = scenes.depth[:, 0].float() / 255 > 0.32
    assert (near == (scenes.segment > 0)).float().mean() > 0.985  # but for edges


def test_a_skeleton_is_drawn_where_there_is_a_person(scenes):
    lit = scenes.skeleton.flatten(1).amax(1) > 0
    assert torch.equal(lit, scenes.content.has[:, 2])


def test_the_skeleton_lies_at_the_joints(scenes):
    for i in scenes.content.has[:, 2].nonzero()[:, 0].tolist():
        cells = (scenes.content.joints[i] * 64).long().clamp(0, 63)
        lit = scenes.skeleton[i].amax(0)[cells[:, 1], cells[:, 0]]
        assert lit.min() > 60


def test_every_scene_has_five_captions_the_full_one_first(scenes):
    assert all(len(c) == 5 for c in scenes.captions)
    assert all(len(c[0].split()) >= max(len(x.split()) - 2 for x in c) for c in scenes.captions)


def test_parts_put_together_again_are_the_whole(scenes):
    parts = [take(scenes, slice(0, 9)), take(scenes, torch.arange(9, 24))]
    assert equal(concatenate(parts), scenes)


def test_chosen_scenes_keep_their_captions(scenes):
    chosen = take(scenes, torch.tensor([7, 2]))
    assert chosen.captions == [scenes.captions[7], scenes.captions[2]]
    assert torch.equal(chosen.content.joints, scenes.content.joints[[7, 2]])
