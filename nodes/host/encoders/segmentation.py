"""Pictures or masks -> a map of classes for ControlNets, and masks of chosen ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from ....mm_core.encoders.control.palette import (
    ADE20K,
    PALETTES,
    Palette,
    classes_of,
    masks_of,
    paint,
)
from ....mm_core.encoders.doubts import palette_doubt
from ....mm_core.encoders.prompts import Prompted
from ....mm_core.encoders.segment import Segmenter, palette_of
from ....mm_core.errors import InputError
from ..patcher import home
from ..say import warn
from .chosen import needs
from .embedding import HostEmbedding, without_tokens
from .encoder import HostEncoder, embedding_of
from .pictures import as_image, channels_first
from .places import boxes_of, names_of, points_of
from .size import Size

AUTO = "auto"
CHOICES = (AUTO, *PALETTES)
ALONE = without_tokens("Encode Segmentation")


@dataclass(frozen=True)
class Shown:
    """What is where. masks: (b, h, w) by name. found: names of what is there. known: names of what
    could have been."""

    picture: torch.Tensor
    masks: Mapping[str, torch.Tensor]
    found: Sequence[str]
    known: Sequence[str]
    embedding: HostEmbedding = ALONE


def encode_segmentation(
    image=None, encoder=None, mask=None, palette: str = AUTO, classes: str = "", points: str = "",
    boxes: str = "", size: Size | None = None,
) -> tuple[Any, Any, str, HostEmbedding]:  # fmt: skip
    """IMAGE, MASK, the names of what is there, and the embedding.

    By an encoder; or masks, painted as the classes named; or a picture painted in a palette, read.
    classes: of which MASK is the union, in each picture; empty: one mask for each that is there.
    """
    names = names_of(classes)
    where = points_of(points), boxes_of(boxes)
    if encoder is None and any(w is not None for w in where):
        raise InputError(
            "points and boxes are for Segment Anything, and no encoder is connected: connect one, "
            "or leave them empty"
        )
    if encoder is not None and mask is not None:
        raise InputError("the segmentation input has encoder and mask: connect one of them")
    if mask is not None:
        shown = painted(mask, names, palette)
        names = []
    elif encoder is not None:
        pictures = channels_first(needs("segmentation", image, "image", "a picture"))
        given = asked(pictures, *where)
        shown = segmented(encoder.of_kind("segmentation"), given, palette, names)
    else:
        why = "a picture with an encoder, or one painted already"
        shown = read(channels_first(needs("segmentation", image, "image or mask", why)), palette)
    picture, wanted = shown.picture, chosen(shown, names)
    if fit := size and size.of_map(picture):
        picture, wanted = fit.picture(picture, exact=True), fit.mask(wanted)
    return as_image(picture), wanted, ", ".join(shown.found), shown.embedding


def asked(pictures, points, boxes):
    """Pictures, with points and boxes where there are any."""
    return pictures if points is None and boxes is None else Prompted(pictures, points, boxes)


def segmented(reads: HostEncoder, given, palette: str, names: Sequence[str]) -> Shown:
    """names: of the classes whose masks are wanted; those of all would be too many for a video."""
    encoder = reads.encoder
    if isinstance(encoder, Segmenter) and isinstance(given, Prompted):
        raise InputError(
            f"points and boxes are for Segment Anything, and {encoder.name} ({encoder.family}) "
            "finds classes: leave them empty"
        )
    if isinstance(encoder, Segmenter) and names:
        reads = replace(reads, encoder=replace(encoder, only=names))
    made = reads(given)
    masks = dict(zip(made.labels, made.masks.unbind(1), strict=True))
    if isinstance(encoder, Segmenter):
        classes, auto = encoder.names, palette_of(encoder.names)
        index, known = made.classes, list(classes.values())
        found = [classes.get(k, f"class {k}") for k in index.unique().tolist()]
    else:  # a model of things, of which 0 is none
        index, known, found, auto = made.classes - 1, made.labels, made.labels, None
    drawn = _painted(index, _palette(palette, auto), palette == AUTO)
    return Shown(drawn, masks, found, known, embedding_of(encoder, made))


def painted(mask, names: Sequence[str], palette: str) -> Shown:
    """Masks, one over another, in the colours of the classes named, or of the first classes."""
    masks = mask[None] if mask.ndim == 2 else mask
    if masks.ndim != 3 or 0 in masks.shape or not bool(torch.isfinite(masks).all()):
        raise InputError(
            f"the mask input is {tuple(mask.shape)}, or holds numbers that are not finite; needed "
            "at least one MASK of 0 to 1"
        )
    masks = masks > 0.5
    chosen_palette = _palette(palette)
    if not names and len(masks) > len(chosen_palette.classes):
        raise InputError(
            f"there are {len(masks)} masks and {len(chosen_palette.classes)} classes in "
            f"{chosen_palette.name}; give fewer masks, or name their classes"
        )
    if names and len(names) != len(masks):
        raise InputError(
            f"there are {len(masks)} masks and {len(names)} classes; name one for each mask"
        )
    index = [chosen_palette.index(n) for n in names] or [
        k % len(chosen_palette.classes) for k in range(len(masks))
    ]
    where = torch.full(masks.shape[1:], -1, dtype=torch.long)
    for one, k in zip(masks, index, strict=True):
        where[one.cpu()] = k
    found = {chosen_palette.classes[k]: (where == k)[None].float() for k in dict.fromkeys(index)}
    return Shown(paint(where[None], chosen_palette).to(home()), found, list(found), list(found))


def read(pictures, palette: str) -> Shown:
    """A picture painted in a palette."""
    chosen_palette = _palette(palette)
    index = classes_of(pictures, chosen_palette, "the image input")
    colors = torch.tensor(chosen_palette.colors)
    warn(palette_doubt(pictures, colors, chosen_palette.name))
    masks = {n: m.float() for n, m in masks_of(index, chosen_palette).items()}
    return Shown(
        paint(index, chosen_palette).to(home()), masks, list(masks), chosen_palette.classes
    )


def chosen(shown: Shown, names: Sequence[str]):
    """MASK: where any of the names is, for each picture; without names, each mask there is."""
    pictures, _, *size = shown.picture.shape
    if unknown := [n for n in names if n not in shown.masks and n not in shown.known]:
        raise InputError(
            f"there is no {unknown[0]!r} here; found: {', '.join(shown.found) or 'nothing'}"
        )
    picked = [shown.masks[n] for n in (names or shown.masks) if n in shown.masks]
    if not picked:
        return torch.zeros(pictures, *size)
    stack = torch.stack(picked, 1).to(home()).float()
    return stack.amax(1) if names else stack.flatten(0, 1)


def _palette(name: str, auto: Palette | None = None) -> Palette:
    """auto: what an encoder's classes are painted in, where that is known; else ADE20K's."""
    return (auto or ADE20K) if name == AUTO else PALETTES[name]


def _painted(index, palette, in_turn: bool):
    """in_turn: colours begin anew where there are fewer of them than classes."""
    if in_turn:
        index = index.where(index < 0, index % len(palette.classes))
    return paint(index, palette).to(home())
