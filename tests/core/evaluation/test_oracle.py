"""The oracle's outputs have the shapes and ranges its Reading tells."""

import torch

from mm_core.evaluation.oracle import CELL_HEADS, GLOBAL_HEADS, Oracle


def test_a_reading_has_a_map_or_a_vector_for_every_head(oracle, scenes):
    reading = oracle(scenes.picture[:2].float() / 255)
    assert {k: v.shape for k, v in reading.cell.items()} == {
        k: (2, n, 16, 16) for k, n in CELL_HEADS.items()
    }
    assert {k: v.shape for k, v in reading.whole.items()} == {
        k: (2, n) for k, n in GLOBAL_HEADS.items()
    }


def test_palette_and_depth_are_0_to_1(oracle, scenes):
    reading = oracle(scenes.picture[:2].float() / 255)
    for values in (reading.whole["palette"], reading.depth):
        assert values.min() >= 0
        assert values.max() <= 1


def test_a_loaded_oracle_reads_each_picture_alone(oracle, scenes):
    pictures = scenes.picture[:2].float() / 255
    both, alone = oracle(pictures), oracle(pictures[:1])
    torch.testing.assert_close(both.feature[:1], alone.feature, rtol=0, atol=1e-3)


def test_a_new_oracle_expects_few_things():
    reading = Oracle().eval()(torch.rand(1, 3, 128, 128))
    assert reading.cell["object"].sigmoid().mean() < 0.25
