"""What a benchmark shows is what a sheet takes."""

import torch

from mm_core.cli.bench_prior import sheet
from mm_core.evaluation.bench.shown import Shown


def test_rows_of_different_lengths_make_one_sheet():
    tile = torch.rand(3, 128, 128, generator=torch.Generator().manual_seed(0))
    rows: Shown = [("one", [("a", tile)]), ("two", [("b", tile), ("", 1 - tile)])]
    made = sheet("title", rows)
    assert made.width == 6 + 2 * (128 + 6)
    assert made.getpixel((6, 40 + 26)) == tuple((tile[:, 0, 0] * 255).round().int().tolist())
