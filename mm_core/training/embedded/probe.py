"""A probe on the denoiser's features that speeds up learning; it is thrown away afterwards.

Squared error hardly notices whether a small blob is a star or a heart, so words about shape are
learned late. The probe asks features in the middle of the network, at every noise level, what is
in each cell and in which style, which makes those features say it early.
Source of the idea: deep supervision, Lee et al. 2015, arXiv 1409.5185; on diffusion features, Yu et
al. 2024 (REPA), arXiv 2410.06940, here with exact labels in place of another network's features.
"""

import torch
import torch.nn.functional as F
from torch import nn

from ...embedded.scenes.attributes import COLORS, FAMILIES, SEGMENTS, SHIRT_COLORS
from ...embedded.scenes.content import Content
from ...embedded.scenes.style import Style
from ...types import Float, Int, Tensor

GRID = 16
PERSON = len(SEGMENTS) - 1


class Probe(nn.Module):
    """Features (b, c, 8, 8) -> what is in each of 16 x 16 cells, in which colour, in what style."""

    def __init__(self, channels: int):
        super().__init__()
        self.cells = nn.Conv2d(channels, 4 * (len(SEGMENTS) + len(COLORS)), 1)
        self.whole = nn.Linear(channels, len(FAMILIES) + 6)

    def forward(self, features: Float[Tensor, "b c 8 8"]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Logits of segment and colour (b, k, 16, 16), logits of the family, palette in 0..1."""
        cells = F.pixel_shuffle(self.cells(features), 2).float()
        whole = self.whole(features.mean((2, 3))).float()
        segment, color = cells.split([len(SEGMENTS), len(COLORS)], 1)
        family, palette = whole.split([len(FAMILIES), 6], 1)
        return segment, color, family, palette.sigmoid()


def loss(
    answers: tuple[Tensor, Tensor, Tensor, Tensor],
    segment: Int[Tensor, "b 64 64"],
    content: Content,
    style: Style,
) -> Tensor:
    """Cross-entropies of cells and style, plus the palette's error; things count most."""
    said_segment, said_color, said_family, said_palette = answers
    cells = segment[:, 2::4, 2::4].long()
    thing = (cells > 0).float()
    weight = 0.2 + 0.8 * thing
    where = F.cross_entropy(said_segment, cells, reduction="none")
    color = F.cross_entropy(said_color, cell_colors(cells, content), reduction="none")
    return (
        (where * weight).sum() / weight.sum()
        + (color * thing).sum() / thing.sum().clamp(min=1)
        + F.cross_entropy(said_family, style.family)
        + 4 * (said_palette - style.palette()).abs().mean()
    )


def cell_colors(cells: Int[Tensor, "b g g"], content: Content) -> Int[Tensor, "b g g"]:
    """The colour index of the thing in each cell: of the nearer object of that shape, or the
    shirt. 0 on the ground, where it means nothing."""
    axis = (torch.arange(GRID) + 0.5) / GRID
    distance = []
    for slot in range(2):
        center = content.center[:, slot]
        dx = axis[None, None, :] - center[:, 0, None, None]
        dy = axis[None, :, None] - center[:, 1, None, None]
        other = (content.shape[:, slot, None, None] + 1 != cells) | ~content.has[
            :, slot, None, None
        ]
        distance.append(dx**2 + dy**2 + 9.0 * other)
    first = distance[0] <= distance[1]
    color = torch.where(first, content.color[:, :1, None], content.color[:, 1:, None])
    assert len(SHIRT_COLORS) <= len(COLORS)
    shirt = content.shirt[:, None, None]
    return torch.where(cells == PERSON, shirt, torch.where(cells > 0, color, 0))
