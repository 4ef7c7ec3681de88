"""The oracle's loss is small where its reading is right."""

from dataclasses import replace

import torch

from mm_core.evaluation.oracle import Reading
from mm_core.training.embedded import oracle as stage


def loss_of(reading, scenes):
    return stage.loss(reading, scenes.content, scenes.style, scenes.depth / 255, scenes.segment)


def test_a_trained_oracle_has_a_small_loss_and_one_that_reads_other_pictures_a_large_one(
    oracle, scenes
):
    reading = oracle(scenes.picture.float() / 255)
    others = oracle(scenes.picture.float().roll(8, 0) / 255)
    assert loss_of(reading, scenes) < 0.4 * loss_of(others, scenes)


def test_every_head_counts(oracle, scenes):
    reading = oracle(scenes.picture.float() / 255)
    right = loss_of(reading, scenes)
    worse: list[Reading] = [
        replace(reading, depth=1 - reading.depth),
        replace(reading, segment=-reading.segment),
        replace(reading, joints=-reading.joints),
    ]
    for group in ("cell", "whole"):
        table = getattr(reading, group)
        for head in table:
            wrong = 1 - table[head] if head == "palette" else -table[head]
            worse.append(replace(reading, **{group: {**table, head: wrong}}))
    assert all(loss_of(w, scenes) > right + 0.01 for w in worse)


def test_what_a_scene_lacks_does_not_count(oracle, scenes):
    reading = oracle(scenes.picture.float() / 255)
    nobody = ~scenes.content.has[:, 2]
    joints = torch.where(
        nobody[:, None, None, None], torch.randn_like(reading.joints), reading.joints
    )
    torch.testing.assert_close(
        loss_of(replace(reading, joints=joints), scenes), loss_of(reading, scenes)
    )


def test_disturbed_pictures_stay_near_and_the_same_draw_disturbs_alike(scenes):
    picture = scenes.picture[:2].float() / 255
    changed = 0
    for seed in range(10):
        first, again = (
            stage.disturb(picture, torch.Generator().manual_seed(seed)) for _ in range(2)
        )
        assert torch.equal(first, again)
        assert (first - picture).abs().mean() < 0.08
        changed += not torch.equal(first, picture)
    assert 3 <= changed <= 9
