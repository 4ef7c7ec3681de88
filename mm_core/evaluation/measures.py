"""How well pictures obey their inputs, as the oracle reads them against the scenes' truth.

Every measure is a list of numbers, one for each case it applies to, so that means and intervals
come from the same data.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ..embedded.scenes.attributes import SEGMENTS
from ..embedded.scenes.content import PERSON_AND_OBJECT, Content
from ..embedded.scenes.style import Style
from ..types import Bool, Float, Int, Picture, Tensor
from .oracle import GRID, Oracle, Reading

BETTER = {
    "text_color": "higher",
    "text_shape": "higher",
    "text_relation": "higher",
    "shirt": "higher",
    "style_family": "higher",
    "style_palette_mae": "lower",
    "depth_r": "higher",
    "depth_iou": "higher",
    "pose_pck05": "higher",
    "segmentation_miou": "higher",
    "audio": "higher",
}
MEASURES = tuple(BETTER)
SILHOUETTE = 0.32  # every thing is nearer (0.4 and up), all ground farther (0.25 and less)


@dataclass(frozen=True)
class Truth:
    """What the pictures should show. depth 0..1 and segment 0..7, both 64 x 64."""

    content: Content
    style: Style
    depth: Float[Tensor, "b 1 64 64"]
    segment: Int[Tensor, "b 64 64"]


@torch.inference_mode()
def read(oracle: Oracle, pictures: Picture, batch: int = 64) -> Reading:
    """The oracle's reading of any number of pictures."""
    parts = [oracle(p) for p in pictures.split(batch)]

    def join(name: str) -> Tensor:
        return torch.cat([getattr(p, name) for p in parts])

    return Reading(
        cell={k: torch.cat([p.cell[k] for p in parts]) for k in parts[0].cell},
        whole={k: torch.cat([p.whole[k] for p in parts]) for k in parts[0].whole},
        depth=join("depth"),
        segment=join("segment"),
        joints=join("joints"),
        feature=join("feature"),
    )


def measure(reading: Reading, truth: Truth) -> dict[str, Float[Tensor, " cases"]]:
    """All MEASURES, case by case. A case is an object, a relation, a person or a picture."""
    return {**_objects(reading, truth.content), **_whole(reading, truth), **_maps(reading, truth)}


def _cells_to_xy(index: Int[Tensor, "*n"]) -> Float[Tensor, "*n 2"]:
    return torch.stack([(index % GRID + 0.5) / GRID, (index // GRID + 0.5) / GRID], -1)


def _peaks(heat: Float[Tensor, "b g g"], count: int) -> Int[Tensor, "b count"]:
    """Flat cell indices of the strongest local maxima, two cells or more apart."""
    best = F.max_pool2d(heat[:, None], 3, 1, 1)[:, 0]
    alone = torch.where(heat == best, heat, torch.full_like(heat, -1e4))
    return alone.flatten(1).topk(count, 1).indices


def _objects(reading: Reading, content: Content) -> dict[str, Tensor]:
    """Colour and shape of each object, the relation of the two things named first, the shirt.

    With k objects in the truth, the k strongest peaks are read, and matched to the objects in the
    order that fits colour and shape best.
    """
    rows = torch.arange(len(content.kind))
    peaks = _peaks(reading.cell["object"][:, 0], 2)
    two = content.has[:, 1]

    def at(head: str) -> Tensor:  # (b, 2 peaks, classes) log-probabilities
        flat = reading.cell[head].flatten(2).log_softmax(1)
        return torch.stack([flat[rows, :, peaks[:, k]] for k in range(2)], 1)

    color, shape = at("color"), at("shape")

    def fit(thing: int, peak: int) -> Tensor:
        c = color[rows, peak, content.color[:, thing]]
        return c + shape[rows, peak, content.shape[:, thing]]

    crossed = two & (fit(0, 1) + fit(1, 0) > fit(0, 0) + fit(1, 1))
    place = torch.stack([crossed.long(), 1 - crossed.long()], 1)  # object -> peak
    right_color = torch.stack(
        [color[rows, place[:, k]].argmax(1) == content.color[:, k] for k in range(2)], 1
    )
    right_shape = torch.stack(
        [shape[rows, place[:, k]].argmax(1) == content.shape[:, k] for k in range(2)], 1
    )
    person = _cells_to_xy(reading.cell["person"].flatten(1).argmax(1))
    things = _cells_to_xy(peaks)
    first, second = things[rows, place[:, 0]], things[rows, place[:, 1]]
    beside = content.kind == PERSON_AND_OBJECT
    a = torch.where(beside[:, None], person, first)
    b = torch.where(beside[:, None], first, second)
    related = two | beside
    shown = content.has[:, 2]
    shirt = (
        reading.cell["shirt"]
        .flatten(2)[rows, :, reading.cell["person"].flatten(1).argmax(1)]
        .argmax(1)
    )
    return {
        "text_color": right_color[content.has[:, :2]].float(),
        "text_shape": right_shape[content.has[:, :2]].float(),
        "text_relation": _holds(a, b, content.relation)[related].float(),
        "shirt": (shirt == content.shirt)[shown].float(),
    }


def _holds(a: Tensor, b: Tensor, relation: Int[Tensor, " b"], margin: float = 0.05) -> Tensor:
    """Whether a is left of, right of, above or below b, and more so than along the other axis."""
    d = b - a
    x, y = d[:, 0], d[:, 1]
    cases = torch.stack([x > margin, x < -margin, y > margin, y < -margin], 1)
    mainly = torch.stack([x.abs() >= y.abs()] * 2 + [y.abs() >= x.abs()] * 2, 1)
    pick = relation.clamp(min=0)[:, None]
    return (cases & mainly).gather(1, pick)[:, 0]


def _whole(reading: Reading, truth: Truth) -> dict[str, Tensor]:
    content, style = truth.content, truth.style
    sounding = content.note >= 0
    note = reading.whole["note"].argmax(1) == content.note
    timbre = reading.whole["timbre"].argmax(1) == content.timbre
    error = (reading.whole["palette"] - style.palette()).abs().mean(1)
    return {
        "style_family": (reading.whole["family"].argmax(1) == style.family).float(),
        "style_palette_mae": error,
        "audio": (note & timbre)[sounding].float(),
    }


def _maps(reading: Reading, truth: Truth) -> dict[str, Tensor]:
    seen, wanted = reading.depth.flatten(1), truth.depth.flatten(1)
    a, b = seen - seen.mean(1, True), wanted - wanted.mean(1, True)
    r = (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1)).clamp(min=1e-6)
    near, near_truth = seen > SILHOUETTE, wanted > SILHOUETTE
    return {
        "depth_r": r,
        "depth_iou": _iou(near, near_truth),
        "pose_pck05": _pck(reading, truth.content, 0.05),
        "segmentation_miou": _mean_iou(reading.segment.argmax(1), truth.segment.long()),
    }


def _iou(a: Bool[Tensor, "b n"], b: Bool[Tensor, "b n"]) -> Float[Tensor, " b"]:
    return (a & b).sum(1) / (a | b).sum(1).clamp(min=1)


def _mean_iou(seen: Int[Tensor, "b h w"], wanted: Int[Tensor, "b h w"]) -> Float[Tensor, " b"]:
    """Per picture, the mean over the classes that picture or truth show, ground included."""
    scores, counts = torch.zeros(len(seen)), torch.zeros(len(seen))
    for label in range(len(SEGMENTS)):
        a, b = (seen == label).flatten(1), (wanted == label).flatten(1)
        there = (a | b).any(1).float()
        scores, counts = scores + _iou(a, b) * there, counts + there
    return scores / counts.clamp(min=1)


def _pck(reading: Reading, content: Content, within: float) -> Float[Tensor, " joints"]:
    """Whether each joint of each person is read within a distance, as a share of the picture."""
    grid = reading.joints.shape[-1]
    index = reading.joints.flatten(2).argmax(2)
    xy = torch.stack([(index % grid + 0.5) / grid, (index // grid + 0.5) / grid], -1)
    distance = (xy - content.joints).norm(dim=-1)
    return (distance < within)[content.has[:, 2]].float().flatten()
