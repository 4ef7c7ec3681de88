"""A probe on the denoiser's features that speeds up learning; it is thrown away afterwards.

Squared error hardly notices whether a small blob is a star or a heart, so words about shape are
learned late. The probe asks features in the middle of the network, at every noise level, what is
in each cell and in which style, which makes those features say it early. It asks the style
picture's tokens too, whose mean alone reaches every layer, and the words' tokens where their thing
is: until it did, no word for a relation moved anything.
Source of the idea: deep supervision, Lee et al. 2015, arXiv 1409.5185; on diffusion features, Yu et
al. 2024 (REPA), arXiv 2410.06940, here with exact labels in place of another network's features.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from ...embedded.conditioners import WIDTH
from ...embedded.scenes.attributes import COLORS, FAMILIES, SEGMENTS, SHAPES, SHIRT_COLORS
from ...embedded.scenes.content import Content
from ...embedded.scenes.style import Style
from ...embedded.vocabulary import WORDS
from ...types import Float, Int, Tensor, Tokens

GRID = 16
PERSON = len(SEGMENTS) - 1


@dataclass(frozen=True)
class Answers:
    """segment and color: logits (b, k, 16, 16). The others read the style, from the features and
    from the style picture's tokens: families (b, 6) as logits, palettes (b, 6) in 0..1, and the
    texture's frequency and direction (b, 5) as `texture_numbers` gives them. words (b, n, 2 + k)
    reads each word's thing: where its centre is, its shape and its colour."""

    segment: Tensor
    color: Tensor
    family: Tensor
    palette: Tensor
    heard_family: Tensor
    heard_palette: Tensor
    heard_texture: Tensor
    words: Tensor


class Probe(nn.Module):
    """What features (b, c, 8, 8) and style tokens (b, n, d) say, by one linear layer each."""

    def __init__(self, channels: int):
        super().__init__()
        self.cells = nn.Conv2d(channels, 4 * (len(SEGMENTS) + len(COLORS)), 1)
        self.whole = nn.Linear(channels, len(FAMILIES) + 6)
        self.heard = nn.Linear(WIDTH, len(FAMILIES) + 6 + 5)
        self.words = nn.Linear(WIDTH, 2 + len(SHAPES) + len(COLORS))

    def forward(
        self,
        features: Float[Tensor, "b c 8 8"],
        style_tokens: Float[Tensor, "b s d"],
        text_tokens: Tokens,
    ) -> Answers:
        cells = F.pixel_shuffle(self.cells(features), 2).float()
        whole = self.whole(features.mean((2, 3))).float()
        heard = self.heard(style_tokens.mean(1)).float()
        segment, color = cells.split([len(SEGMENTS), len(COLORS)], 1)
        family, palette = whole.split([len(FAMILIES), 6], 1)
        heard_family, heard_palette, texture = heard.split([len(FAMILIES), 6, 5], 1)
        return Answers(
            segment,
            color,
            family,
            palette.sigmoid(),
            heard_family,
            heard_palette.sigmoid(),
            texture,
            self.words(text_tokens).float(),
        )


def texture_numbers(style: Style) -> Float[Tensor, "b 5"]:
    """Frequency, about -1 to 1, then the angle as it can be seen: stripes look the same after half
    a turn, checks and dots after a quarter."""
    turns = [wave(k * style.angle) for k in (2, 4) for wave in (torch.cos, torch.sin)]
    return torch.stack([(style.frequency - 4.25) / 1.25, *turns], 1)


def texture_shown(style: Style) -> Float[Tensor, "b 5"]:
    """1 where a number of `texture_numbers` shows in the family, else 0."""
    table = torch.tensor([[FAMILY_SHOWS[name][k] for k in (0, 1, 1, 2, 2)] for name in FAMILIES])
    return table[style.family].float()


FAMILY_SHOWS = {  # frequency, angle by half turns, by quarter turns
    "gradient": (0, 1, 0),
    "stripes": (1, 1, 0),
    "checks": (1, 0, 1),
    "dots": (1, 0, 1),
    "waves": (1, 1, 0),
    "rings": (1, 0, 0),
}


def loss(
    answers: Answers,
    segment: Int[Tensor, "b 64 64"],
    tokens: Int[Tensor, "b n"],
    content: Content,
    style: Style,
) -> Tensor:
    """Cross-entropies of cells, style and words, plus the errors of palette, texture and places;
    things count most. tokens: the numbers of the words that the network was given."""
    cells = segment[:, 2::4, 2::4].long()
    thing = (cells > 0).float()
    weight = 0.2 + 0.8 * thing
    where = F.cross_entropy(answers.segment, cells, reduction="none")
    color = F.cross_entropy(answers.color, cell_colors(cells, content), reduction="none")
    return (
        (where * weight).sum() / weight.sum()
        + (color * thing).sum() / thing.sum().clamp(min=1)
        + F.cross_entropy(answers.family, style.family)
        + 4 * (answers.palette - style.palette()).abs().mean()
        + F.cross_entropy(answers.heard_family, style.family)
        + 4 * (answers.heard_palette - style.palette()).abs().mean()
        + ((answers.heard_texture - texture_numbers(style)) ** 2 * texture_shown(style)).mean()
        + _words_loss(answers.words, tokens, content)
    )


def _words_loss(said: Tensor, tokens: Tensor, content: Content) -> Tensor:
    """Of each word of an object: how far off its centre is, its shape's and colour's entropy.

    A picture is painted place by place, so a word is of use where it says its thing's place.
    """
    slot = word_slots(tokens, content)
    told = (slot >= 0).float()
    which = slot.clamp(min=0)
    rows = torch.arange(len(tokens))[:, None]
    place, shape, color = said.split([2, len(SHAPES), len(COLORS)], 2)
    miss = ((place - (content.center[rows, which] * 4 - 2)) ** 2).sum(2)
    wrong = F.cross_entropy(shape.mT, content.shape[rows, which], reduction="none")
    wrong = wrong + F.cross_entropy(color.mT, content.color[rows, which], reduction="none")
    return ((miss + wrong) * told).sum() / told.sum().clamp(min=1)


def word_slots(tokens: Int[Tensor, "b n"], content: Content) -> Int[Tensor, "b n"]:
    """Which object each colour and shape word speaks of, 0 or 1; -1 for all other words."""
    color, shape = _index_in(COLORS)[tokens], _index_in(SHAPES)[tokens]
    # A colour stands right before its shape: pair them, on the shape's word.
    before = F.pad(color, (1, 0), value=-1)[:, :-1]
    slot = torch.full_like(tokens, -1)
    for k in (1, 0):
        meant = (before == content.color[:, k, None]) & (shape == content.shape[:, k, None])
        meant = meant & content.has[:, k, None]
        slot = torch.where(meant, k, slot)
    return torch.maximum(slot, F.pad(slot, (0, 1), value=-1)[:, 1:])


def _index_in(names: tuple[str, ...]) -> Int[Tensor, " words"]:
    """For each word of the vocabulary its place among names, or -1."""
    return torch.tensor([names.index(w) if w in names else -1 for w in WORDS])


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
