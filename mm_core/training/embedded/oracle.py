"""Stage 2: the oracle's loss, on ground truth only."""

import torch
import torch.nn.functional as F

from ...embedded.scenes.content import Content
from ...embedded.scenes.style import Style
from ...evaluation.oracle import GRID, Reading
from ...types import Float, Int, Picture, Tensor

JOINT_GRID = 32


def loss(
    reading: Reading,
    content: Content,
    style: Style,
    depth: Float[Tensor, "b 1 64 64"],
    segment: Int[Tensor, "b 64 64"],
) -> Tensor:
    """Sum of all heads' losses; the factors bring them to about the same size."""
    return (
        _things(reading, content)
        + _whole(reading, content, style)
        + 5 * (reading.depth - depth).abs().mean()
        + 2 * F.cross_entropy(reading.segment, segment.long())
        + 0.5 * _joints(reading, content)
    )


def disturb(picture: Picture, rng: torch.Generator) -> Picture:
    """Noise and blur on most batches, so that the oracle does not hang on rendering detail."""
    amount, mix = torch.rand(2, generator=rng).tolist()
    if amount > 0.7:
        return picture
    noise = torch.randn(picture.shape, generator=rng)
    level = torch.rand(len(picture), 1, 1, 1, generator=rng) * 0.06
    out = picture + noise * level
    if mix < 0.5:
        blurred = F.avg_pool2d(F.pad(out, (1, 1, 1, 1), "replicate"), 3, 1)
        out = out + (blurred - out) * 1.4 * mix
    return out


def _bump(center: Float[Tensor, "b 2"], grid: int, width: float) -> Float[Tensor, "b g g"]:
    axis = (torch.arange(grid) + 0.5) / grid
    dx = axis[None, None, :] - center[:, 0, None, None]
    dy = axis[None, :, None] - center[:, 1, None, None]
    return torch.exp(-(dx**2 + dy**2) / (2 * width**2))


def _things(reading: Reading, content: Content) -> Tensor:
    """Where objects and the person are, and of which colour, shape and shirt they are there."""
    has = content.has.float()[:, :, None, None]
    bumps = [_bump(content.center[:, k], GRID, 0.045) * has[:, k] for k in range(2)]
    torso = content.joints[:, [1, 8, 11]].mean(1)
    person = _bump(torso, GRID, 0.06) * has[:, 2]
    total = torch.zeros(())
    for name, target in (("object", torch.maximum(*bumps)), ("person", person)):
        cost = F.binary_cross_entropy_with_logits(
            reading.cell[name][:, 0], target, reduction="none"
        )
        total = total + 20 * (cost * (1 + 8 * target)).mean()
    for name, labels in (("color", content.color), ("shape", content.shape)):
        for k in range(2):
            total = total + _at(reading.cell[name], labels[:, k], bumps[k])
    return total + _at(reading.cell["shirt"], content.shirt, person)


def _at(logits: Tensor, label: Int[Tensor, " b"], bump: Float[Tensor, "b g g"]) -> Tensor:
    weight = bump * (bump > 0.3)
    target = label[:, None, None].expand(bump.shape)
    cost = F.cross_entropy(logits, target, reduction="none")
    return (cost * weight).sum() / weight.sum().clamp(min=1)


def _whole(reading: Reading, content: Content, style: Style) -> Tensor:
    sounding = (content.note >= 0).float()
    note = torch.where(content.note >= 0, content.note, reading.whole["note"].shape[1] - 1)
    timbre = F.cross_entropy(reading.whole["timbre"], content.timbre.clamp(min=0), reduction="none")
    return (
        2 * F.cross_entropy(reading.whole["family"], style.family)
        + 8 * (reading.whole["palette"] - style.palette()).abs().mean()
        + F.cross_entropy(reading.whole["note"], note)
        + (timbre * sounding).sum() / sounding.sum().clamp(min=1)
    )


def _joints(reading: Reading, content: Content) -> Tensor:
    shown = content.has[:, 2].float()
    log = reading.joints.flatten(2).log_softmax(-1)
    target = torch.stack(
        [_bump(p, JOINT_GRID, 0.022) for p in content.joints.unbind(1)], 1
    ).flatten(2)
    target = target / target.sum(-1, keepdim=True).clamp(min=1e-4)
    cost = -(target * log).sum(-1).mean(1)
    return (cost * shown).sum() / shown.sum().clamp(min=1)
