"""What a curve reaches at a level of text, against drawings done by hand."""

import pytest
import torch

from mm_core.evaluation.bench.equal_text import lead, reached
from mm_core.evaluation.bench.tally import NAMES, Tally


def column(*values):
    return torch.tensor(values, dtype=torch.float64)[:, None]


@pytest.mark.parametrize(
    ("text", "style", "level", "expected"),
    [
        ((90, 80), (50, 70), 85, 60),  # halfway along the line
        ((90, 80), (50, 70), 80, 70),  # a point at the level counts
        ((90, 80), (50, 70), 70, 70),
        ((90, 80, 90), (50, 70, 40), 85, 60),  # the better of two crossings
        ((90, 90), (50, 70), 90, 70),  # a line along the level
        ((90, 80), (70, 50), 85, 70),
        ((80, 84, 82), (70, 50, 60), 90, 50),  # below everywhere: where text is highest
    ],
)
def test_the_highest_style_that_keeps_the_text(text, style, level, expected):
    found = reached(column(*text), column(*style), torch.tensor([level], dtype=torch.float64))
    assert found.tolist() == [pytest.approx(expected)]


def test_every_resample_has_a_level_of_its_own():
    text = column(90, 80).expand(2, 3)
    level = torch.tensor([90.0, 85.0, 80.0], dtype=torch.float64)
    assert reached(text, column(50, 70).expand(2, 3), level).tolist() == [50, 60, 70]


def tally(text, style):
    """Groups of one case each, all text measures alike."""
    total = torch.zeros(len(style), len(NAMES), dtype=torch.float64)
    total[:, :3] = torch.tensor(text, dtype=torch.float64)[:, None]
    total[:, 3] = torch.tensor(style, dtype=torch.float64)
    return Tally(total, torch.ones_like(total))


def test_a_lead_is_over_the_best_of_all_curves():
    ours = tally([0.8, 0.8], [0.9, 0.9])
    low, high = tally([0.8, 0.8], [0.5, 0.5]), tally([0.8, 0.8], [0.7, 0.7])
    assert lead(ours, [[low], [high]]) == (pytest.approx(20), pytest.approx((20, 20)))
    assert lead(ours, [[low]])[0] == pytest.approx(40)


def test_settings_are_drawn_together_so_that_hard_scenes_cancel():
    hard = [0.1, 0.9, 0.2, 0.8, 0.5, 0.4]
    ours, theirs = tally(hard, [h + 0.1 for h in hard]), tally(hard, hard)
    value, (low, high) = lead(ours, [[theirs]])
    assert (value, low, high) == tuple(pytest.approx(10) for _ in range(3))
