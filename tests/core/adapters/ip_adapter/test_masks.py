"""Masks land on the grid of a layer's queries, whatever the picture's shape."""

import pytest
import torch

from mm_core.adapters.ip_adapter.masks import on_grid


def test_each_query_gets_the_mean_of_its_own_patch(noise):
    mask = noise(2, 12, 20).sigmoid()
    found = on_grid(mask, 3, 5)
    expected = torch.stack(
        [
            mask[:, 4 * r : 4 * r + 4, 4 * c : 4 * c + 4].mean((1, 2))
            for r in range(3)
            for c in range(5)
        ],
        1,
    )
    torch.testing.assert_close(found, expected[..., None])


@pytest.mark.parametrize(("rows", "columns"), [(4, 4), (3, 7), (9, 2)])
@pytest.mark.parametrize("how", ["area", "bilinear", "bicubic"])
def test_everywhere_is_everywhere_and_nowhere_is_nowhere(rows, columns, how):
    ones = torch.ones(1, 40, 31)
    torch.testing.assert_close(on_grid(ones, rows, columns, how), torch.ones(1, rows * columns, 1))
    assert not on_grid(0 * ones, rows, columns, how).any()


def test_rows_come_before_columns():
    mask = torch.zeros(1, 8, 16)
    mask[:, :4] = 1  # the upper half
    assert on_grid(mask, 2, 4).flatten().tolist() == [1, 1, 1, 1, 0, 0, 0, 0]


def test_a_soft_mask_stays_soft_and_a_small_one_is_drawn_larger():
    assert on_grid(torch.full((1, 8, 8), 0.3), 2, 2).flatten().tolist() == pytest.approx([0.3] * 4)
    assert on_grid(torch.tensor([[[0.0, 1.0]]]), 1, 4).flatten().tolist() == [0, 0, 1, 1]
