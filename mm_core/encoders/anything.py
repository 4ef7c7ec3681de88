"""Segment Anything: pictures with points or boxes -> masks; without, everything in them.

Sources: Kirillov et al. 2023 (SAM), arXiv 2304.02643; Ravi et al. 2024 (SAM 2), arXiv 2408.00714.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..types import Bool, Float, Int, Picture, Tensor
from .class_map import check_room
from .encoder import Encoding, Kind, Tick, no_tick
from .family import Family, Loader
from .folder import load_model, load_processor
from .forward import prepared
from .grid import Grid, distinct, grid_points, passable
from .images import check_pictures, images
from .prompts import Prompted, Thing, things


@dataclass(frozen=True)
class Fit:
    """How a picture lies in a model's square input: its own size, and the one it is brought to.

    From the top left corner; what the picture leaves free is padding.
    """

    height: int
    width: int
    rows: int
    columns: int
    side: int

    def place(self, xy: Float[Tensor, "*n 2"]) -> Float[Tensor, "*n 2"]:
        """From pixels of the picture to those of the input."""
        scale = xy.new_tensor([self.columns / self.width, self.rows / self.height])
        return xy * scale

    def filled(self, masks: Float[Tensor, "n y x"]) -> Float[Tensor, "n rows cols"]:
        """Without the padding."""
        y, x = masks.shape[-2:]
        rows = max(1, round(y * self.rows / self.side))
        return masks[:, :rows, : max(1, round(x * self.columns / self.side))]


# (processor, masks as logits, Fit) -> masks at the picture's size
Enlarge = Callable[[Any, Float[Tensor, "1 1 y x"], Fit], Bool[Tensor, "1 1 h w"]]


@dataclass(eq=False)
class AnythingSegmenter:
    """Pictures, or Prompted, -> Encoding.masks, called "thing 1" and so on. Made by load_encoder.

    Encoding.classes is 0 where nothing is, else the number of the thing, small over large.
    """

    name: str
    family: str
    module: nn.Module
    processor: Any
    fit: Callable[[Any, Any, int, int], Fit]
    enlarge: Enlarge
    grid: Grid = field(default_factory=Grid)
    kind: Kind = "segmentation"
    width: int | None = None
    needs: str = "pictures (b, 3, h, w), RGB in 0..1, or these with points or boxes"

    @torch.no_grad()
    def __call__(self, given: Any, tick: Tick = no_tick) -> Encoding:
        asked = given if isinstance(given, Prompted) else Prompted(given)
        pictures = check_pictures(asked.pictures, self.name)
        prompts = things(asked, self.name)
        steps = len(prompts) or -(-(self.grid.a_side**2) // self.grid.at_once)
        masks = []
        for i in range(len(pictures)):

            def part(done: int, i: int = i) -> None:
                tick(i * steps + done, len(pictures) * steps)

            masks.append(self._one(pictures[i : i + 1], prompts, part))
        most = max(len(m) for m in masks)
        check_room(most * len(masks), *pictures.shape[-2:])
        whole = torch.zeros(len(masks), most, *pictures.shape[-2:], device=masks[0].device)
        for row, found in zip(whole, masks, strict=True):
            row[: len(found)] = found
        labels = tuple(f"thing {k + 1}" for k in range(most))
        return Encoding(masks=whole, labels=labels, classes=torch.stack([*map(painted, masks)]))

    def _one(
        self, picture: Picture, prompts: list[Thing], part: Callable[[int], None]
    ) -> Bool[Tensor, "k h w"]:
        height, width = picture.shape[-2:]
        inputs = prepared(self.processor, images=images(picture))
        where = next(self.module.parameters())
        fit = self.fit(self.processor, inputs, height, width)
        values = inputs["pixel_values"].to(where.device, where.dtype)
        model: Any = self.module
        seen = model.get_image_embeddings(values)
        small = self._asked(seen, prompts, fit, part) if prompts else self._all(seen, fit, part)
        check_room(len(small), height, width)
        return torch.cat(
            [self.enlarge(self.processor, mask[None, None], fit)[0] for mask in small]
            or [torch.zeros(0, height, width, dtype=torch.bool, device=where.device)]
        )

    def _asked(
        self, seen: Any, prompts: list[Thing], fit: Fit, part: Callable[[int], None]
    ) -> Float[Tensor, "k y x"]:
        """The mask of each thing of which the model is surest, among the three it gives."""
        best = []
        for i, thing in enumerate(prompts):
            masks, scores = self._decode(seen, thing, fit)
            best.append(masks[0, scores[0].argmax()])
            part(i + 1)
        return torch.stack(best)

    def _all(self, seen: Any, fit: Fit, part: Callable[[int], None]) -> Float[Tensor, "k y x"]:
        """The masks of a grid of points, without those that are unsure or say the same."""
        masks, scores = [], []
        points = grid_points(self.grid.a_side, fit.height, fit.width)
        for i, some in enumerate(points.split(self.grid.at_once)):
            found, sure = self._decode(seen, Thing(some[:, None], None), fit)
            found, sure = found.flatten(0, 1), sure.flatten()
            kept = passable(fit.filled(found), sure, self.grid)
            masks.append(found[kept])
            scores.append(sure[kept])
            part(i + 1)
        every, sure = torch.cat(masks), torch.cat(scores)
        return every[distinct(fit.filled(every), sure, self.grid)]

    def _decode(
        self, seen: Any, thing: Thing, fit: Fit
    ) -> tuple[Float[Tensor, "n 3 y x"], Float[Tensor, "n 3"]]:
        """Three masks as logits for each thing, and the IoU that the model expects of each."""
        device = next(self.module.parameters()).device
        given: dict[str, Tensor] = {}
        if thing.points is not None:
            given["input_points"] = fit.place(thing.points[..., :2])[None].to(device)
            labels = torch.ones(thing.points.shape[:2], dtype=torch.long)
            if thing.points.shape[-1] == 3:
                labels = thing.points[..., 2].long()
            given["input_labels"] = labels[None].to(device)
        if thing.boxes is not None:
            corners = fit.place(thing.boxes.unflatten(-1, (2, 2))).flatten(-2)
            given["input_boxes"] = corners[None].to(device)
        found = self.module(image_embeddings=seen, multimask_output=True, **given)
        return found.pred_masks[0].float(), found.iou_scores[0].float()


def painted(masks: Bool[Tensor, "k h w"]) -> Int[Tensor, "h w"]:
    """0 where nothing is, else the number of the mask from 1, smaller ones over larger ones."""
    out = torch.zeros(masks.shape[-2:], dtype=torch.long, device=masks.device)
    order = masks.flatten(1).sum(1).sort(descending=True, stable=True).indices
    for k in order.tolist():
        out[masks[k]] = k + 1
    return out


def sam_fit(processor: Any, inputs: Any, height: int, width: int) -> Fit:
    """SAM: the long side fills the input, the rest is padding at the bottom or right."""
    rows, columns = (int(n) for n in inputs["reshaped_input_sizes"][0])
    return Fit(height, width, rows, columns, processor.pad_size["height"])


def sam2_fit(processor: Any, inputs: Any, height: int, width: int) -> Fit:
    """SAM 2: stretched to the whole input."""
    side = processor.size["height"]
    return Fit(height, width, side, side, side)


def sam_enlarge(
    processor: Any, mask: Float[Tensor, "1 1 y x"], fit: Fit
) -> Bool[Tensor, "1 1 h w"]:
    """As its own processor does it."""
    sizes = [(fit.height, fit.width)], [(fit.rows, fit.columns)]
    return processor.post_process_masks([mask], *sizes)[0]


def sam2_enlarge(
    processor: Any, mask: Float[Tensor, "1 1 y x"], fit: Fit
) -> Bool[Tensor, "1 1 h w"]:
    """As its own processor does it."""
    return processor.post_process_masks([mask], [(fit.height, fit.width)])[0]


def loader(fit: Callable[[Any, Any, int, int], Fit], enlarge: Enlarge) -> Loader:
    """How folders of a family are opened."""

    def load(folder: Path, family: Family, dtype: torch.dtype) -> AnythingSegmenter:
        return AnythingSegmenter(
            name=folder.name,
            family=family.name,
            module=load_model(family.class_name, folder, dtype, family.since),
            processor=load_processor("picture", folder),
            fit=fit,
            enlarge=enlarge,
        )

    return load


FAMILIES = (
    Family(
        "SAM",
        "segmentation",
        ("sam",),
        "SamModel",
        gives="a mask for each thing that is pointed at, or for all",
        unit="0 or 1",
        good_for="masks of things that no list of classes names",
        load=loader(sam_fit, sam_enlarge),
    ),
    Family(
        "SAM 2",
        "segmentation",
        ("sam2", "sam2_video"),
        "Sam2Model",
        gives="a mask for each thing that is pointed at, or for all",
        unit="0 or 1",
        good_for="masks of things that no list of classes names: faster and sharper than SAM",
        load=loader(sam2_fit, sam2_enlarge),
        since="4.56",
        extras=("torchvision",),
    ),
)
