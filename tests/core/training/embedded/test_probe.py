"""What the probe is asked, against the scenes' own pictures."""

import torch

from mm_core.embedded.scenes.attributes import COLOR_RGB, COLORS, FAMILIES, SEGMENTS
from mm_core.embedded.scenes.dataset import make_scenes
from mm_core.training.embedded.probe import Probe, cell_colors, loss


def test_the_color_asked_for_in_a_cell_is_the_one_the_picture_shows_there():
    scenes = make_scenes(64, seed=11)
    cells = scenes.segment[:, 2::4, 2::4].long()
    asked = cell_colors(cells, scenes.content)
    shown = scenes.picture[:, :, 4::8, 4::8].float() / 255  # the middle of each cell
    distance = (shown[:, :, None] - COLOR_RGB.T[None, :, :, None, None]).square().sum(1)
    objects = (cells > 0) & (cells < len(SEGMENTS) - 1)
    agree = (distance.argmin(1) == asked)[objects].float().mean()
    # Haze, gloss and edges turn some pixels; a swap of the two objects would turn half of them.
    assert agree > 0.8


def test_perfect_answers_cost_nothing_but_the_palette_and_wrong_ones_do():
    scenes = make_scenes(8, seed=3)
    cells = scenes.segment[:, 2::4, 2::4].long()
    colors = cell_colors(cells, scenes.content)

    def sure(index, count):
        return 50.0 * torch.nn.functional.one_hot(index, count).movedim(-1, 1).float()

    right = (
        sure(cells, len(SEGMENTS)),
        sure(colors, len(COLORS)),
        sure(scenes.style.family, len(FAMILIES)),
        scenes.style.palette(),
    )
    wrong = (sure((cells + 1) % len(SEGMENTS), len(SEGMENTS)), *right[1:])
    assert loss(right, scenes.segment, scenes.content, scenes.style) < 1e-6
    assert loss(wrong, scenes.segment, scenes.content, scenes.style) > 10


def test_the_probe_answers_on_a_grid_of_16():
    segment, color, family, palette = Probe(12)(torch.zeros(2, 12, 8, 8))
    assert segment.shape == (2, len(SEGMENTS), 16, 16)
    assert color.shape == (2, len(COLORS), 16, 16)
    assert family.shape == (2, len(FAMILIES))
    assert palette.shape == (2, 6)
    assert torch.equal(palette, palette.clamp(0, 1))
