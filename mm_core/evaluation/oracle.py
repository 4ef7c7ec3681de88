"""The oracle: one network that reads from a picture what a scene's ground truth would say.

It never sees a generated picture or an input of the embedded model in training, only rendered
scenes and their truth. Colour and shape have separate heads, so that a rare pair is read as well
as a common one.
"""

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import nn

from ..embedded.scenes.attributes import (
    COLORS,
    FAMILIES,
    JOINTS,
    NOTE_NAMES,
    SEGMENTS,
    SHAPES,
    SHIRT_COLORS,
    TIMBRES,
)
from ..types import Float, Picture, Tensor

GRID = 16  # cells a side of the maps that find things
FEATURES = 160
CELL_HEADS = {
    "object": 1,
    "person": 1,
    "color": len(COLORS),
    "shape": len(SHAPES),
    "shirt": len(SHIRT_COLORS),
}
GLOBAL_HEADS = {
    "family": len(FAMILIES),
    "palette": 6,
    "note": len(NOTE_NAMES) + 1,  # the last is silence
    "timbre": len(TIMBRES),
}


@dataclass(frozen=True)
class Reading:
    """What the oracle says of b pictures. Logits, but for palette and depth, which are 0..1.

    cell: (b, heads, GRID, GRID) for each of CELL_HEADS. whole: (b, heads) for each of
    GLOBAL_HEADS. joints: heat on a 32 x 32 grid. feature: for the Frechet distance.
    """

    cell: dict[str, Tensor]
    whole: dict[str, Tensor]
    depth: Float[Tensor, "b 1 64 64"]
    segment: Float[Tensor, "b 8 64 64"]
    joints: Float[Tensor, "b 14 32 32"]
    feature: Float[Tensor, "b 160"]


def _convolution(a: int, b: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(a, b, 3, padding=1, stride=stride, bias=False), nn.BatchNorm2d(b), nn.ReLU()
    )


class Oracle(nn.Module):
    """A small U-shaped network, 128 px in."""

    def __init__(self) -> None:
        super().__init__()
        conv = _convolution
        self.at64 = nn.Sequential(nn.PixelUnshuffle(2), conv(12, 32), conv(32, 32))
        self.at32 = nn.Sequential(conv(32, 64, 2), conv(64, 64))
        self.at16 = nn.Sequential(conv(64, 128, 2), conv(128, 128))
        self.at8 = nn.Sequential(conv(128, FEATURES, 2), conv(FEATURES, FEATURES))
        self.up16 = nn.Sequential(nn.Conv2d(128 + FEATURES, 96, 1), conv(96, 96))
        self.up32 = nn.Sequential(nn.Conv2d(64 + 96, 64, 1), conv(64, 64))
        self.up64 = conv(32 + 16, 24)
        self.cells = nn.Conv2d(96, sum(CELL_HEADS.values()), 1)
        self.joints = nn.Conv2d(64, len(JOINTS), 1)
        self.dense = nn.Conv2d(24, 1 + len(SEGMENTS), 1)
        self.trunk = nn.Sequential(nn.Linear(2 * FEATURES + 64, FEATURES), nn.ReLU())
        self.whole = nn.Linear(FEATURES, sum(GLOBAL_HEADS.values()))
        with torch.no_grad():
            cast(Tensor, self.cells.bias)[:2] = -3.0  # things are rare

    def forward(self, picture: Picture) -> Reading:
        a = self.at64(picture)
        b = self.at32(a)
        c = self.at16(b)
        d = self.at8(c)
        up = self.up16(torch.cat([c, F.interpolate(d, scale_factor=2.0)], 1))
        finer = self.up32(torch.cat([b, F.interpolate(up, scale_factor=2.0)], 1))
        finest = self.up64(torch.cat([a, F.pixel_shuffle(finer, 2)], 1))
        feature = self.trunk(torch.cat([d.mean((2, 3)), d.amax((2, 3)), b.mean((2, 3))], 1)).float()
        cells = self.cells(up).float().split(list(CELL_HEADS.values()), 1)
        whole = dict(
            zip(
                GLOBAL_HEADS,
                self.whole(feature).float().split(list(GLOBAL_HEADS.values()), 1),
                strict=True,
            )
        )
        whole["palette"] = whole["palette"].sigmoid()
        dense = self.dense(finest).float()
        return Reading(
            cell=dict(zip(CELL_HEADS, cells, strict=True)),
            whole=whole,
            depth=dense[:, :1].sigmoid(),
            segment=dense[:, 1:],
            joints=self.joints(finer).float(),
            feature=feature,
        )
