"""Detectors of people: pictures -> boxes around each person."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..errors import InputError
from ..types import Float, Picture, Tensor
from .boxes import clip
from .folder import load_model, load_processor, read_config
from .forward import forward, prepared
from .images import images

PERSON = ("person", "people", "human", "pedestrian")  # what detectors call one
CLASSES = {"rt_detr": "RTDetrForObjectDetection", "rt_detr_v2": "RTDetrV2ForObjectDetection"}
SURE = 0.3  # score from which a detection counts
SMALLEST = 2.0  # pixels a side; less of a person shows no joint


@dataclass(frozen=True)
class PersonDetector:
    """RT-DETR and its successors. label: of a person, among the classes that module knows."""

    name: str
    module: nn.Module
    processor: Any
    label: int

    def __call__(self, picture: Picture, sure: float = SURE) -> Float[Tensor, "n 4"]:
        """Corners in pixels of people in one picture, best first; none is no error."""
        height, width = picture.shape[-2:]
        inputs = prepared(self.processor, images=images(picture))
        found = forward(self.module, {"pixel_values": inputs["pixel_values"]})
        found.logits, found.pred_boxes = found.logits.float(), found.pred_boxes.float()
        done = self.processor.post_process_object_detection(
            found, threshold=sure, target_sizes=[(height, width)]
        )
        boxes = done[0]["boxes"][done[0]["labels"] == self.label]
        return boxes[shown(boxes, height, width)]


def shown(boxes: Float[Tensor, "n 4"], height: int, width: int) -> Tensor:
    """Which boxes show enough of the picture, as a mask (n)."""
    inside = clip(boxes, height, width)
    return ((inside[:, 2:] - inside[:, :2]) >= SMALLEST).all(1)


def person_label(names: dict[int, str], who: str) -> int:
    """Which of a detector's classes is a person, or InputError naming those it has."""
    for index, name in names.items():
        if name.lower() in PERSON:
            return index
    few = ", ".join(list(names.values())[:4])
    raise InputError(
        f"{who}: found a detector of {few} and {max(0, len(names) - 4)} more; needed one that "
        "knows the class person: choose one trained on COCO"
    )


def load_detector(folder: Path, dtype: torch.dtype = torch.float32) -> PersonDetector:
    """The detector in a folder. Raises InputError or WeightsError."""
    found = read_config(folder).get("model_type")
    if not isinstance(found, str) or found not in CLASSES:
        raise InputError(
            f"{folder.name}: config.json says model_type {found!r}, which is no detector of "
            f"people that is known here; needed one of {', '.join(CLASSES)}"
        )
    module: Any = load_model(CLASSES[found], folder, dtype)
    label = person_label(module.config.id2label, folder.name)
    return PersonDetector(folder.name, module, load_processor("picture", folder), label)
