"""Pose estimators: pictures -> people as POSE_KEYPOINT frames, and drawn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..errors import InputError
from ..types import Float, Picture, Tensor
from .body import WHOLE, check_joints, person
from .boxes import with_size
from .control.keypoints import keypoints_of
from .control.people import Frame
from .control.skeleton import draw_frames
from .encoder import Encoding, Kind, Tick, no_tick
from .family import Family
from .folder import load_model, load_processor
from .forward import forward, prepared
from .images import check_pictures, images
from .person import load_detector, shown

AT_ONCE = 32  # people in one call of the model


@dataclass(frozen=True)
class Boxed:
    """Pictures, and for each of them its people's boxes (n, 4): corners in pixels."""

    pictures: Picture
    boxes: Sequence[Float[Tensor, "_ 4"]]


@dataclass(eq=False)
class PoseEstimator:
    """Pictures, or Boxed, -> Encoding.keypoints and .control. Made by load_encoder.

    People are where the boxes say; else where the detector finds them; without one, each picture
    is taken for one person. experts: where the model has several, that of its joints' data set.
    """

    name: str
    family: str
    module: nn.Module  # holds pose, and person where there is a detector
    processor: Any
    detector: Callable[[Picture], Float[Tensor, "n 4"]] | None = None
    experts: bool = False
    kind: Kind = "pose"
    width: int | None = None
    needs: str = "pictures (b, 3, h, w), RGB in 0..1, or these with boxes around people"

    def __call__(self, given: Any, tick: Tick = no_tick) -> Encoding:
        pictures = check_pictures(given.pictures if isinstance(given, Boxed) else given, self.name)
        boxes = check_boxes(given, self.name) if isinstance(given, Boxed) else None
        frames = []
        for i in range(len(pictures)):
            picture = pictures[i : i + 1]
            where = boxes[i] if boxes is not None else self._people(picture)
            frames.append(self._frame(picture, where))
            tick(i + 1, len(pictures))
        control = draw_frames(frames).to(next(self.module.parameters()).device)
        return Encoding(keypoints=keypoints_of(frames), control=control)

    def _people(self, picture: Picture) -> Float[Tensor, "n 4"]:
        if self.detector is not None:
            return self.detector(picture)
        height, width = picture.shape[-2:]
        return torch.tensor([[0.0, 0.0, width, height]])

    def _frame(self, picture: Picture, boxes: Float[Tensor, "n 4"]) -> Frame:
        height, width = picture.shape[-2:]
        sizes = with_size(boxes[shown(boxes, height, width)].float().cpu()).tolist()
        few = [sizes[i : i + AT_ONCE] for i in range(0, len(sizes), AT_ONCE)]
        joints = [one for some in few for one in self._joints(picture, some)]
        people = [person(one["keypoints"], one["scores"]) for one in joints]
        return Frame(width, height, tuple(people))

    def _joints(self, picture: Picture, boxes: list[list[float]]) -> list[dict[str, Tensor]]:
        """Joints of people whose boxes are (left, top, width, height)."""
        inputs = prepared(self.processor, images=images(picture), boxes=[boxes])
        model: Any = self.module.get_submodule("pose")
        values = {"pixel_values": inputs["pixel_values"]}
        if self.experts:
            index = expert_of(model.config.num_labels)
            values["dataset_index"] = torch.full((len(boxes),), index)
        found = forward(model, values)
        found.heatmaps = found.heatmaps.float()
        return self.processor.post_process_pose_estimation(found, boxes=[boxes])[0]


def expert_of(joints: int) -> int:
    """Which expert of ViTPose+ knows this many joints: COCO's 17 or COCO-WholeBody's 133.

    Source: Xu et al. 2022 (ViTPose+), arXiv 2212.04246; the order of the data sets is their
    code's.
    """
    return 5 if joints == WHOLE else 0


def check_boxes(given: Boxed, who: str) -> Sequence[Float[Tensor, "_ 4"]]:
    """The boxes, if there is a list of proper ones for each picture."""
    if len(given.boxes) != len(given.pictures):
        raise InputError(
            f"{who}: found boxes for {len(given.boxes)} pictures and {len(given.pictures)} "
            "pictures; needed boxes for each: give an empty list where there is nobody"
        )
    height, width = given.pictures.shape[-2:]
    for boxes in given.boxes:
        good = boxes.ndim == 2 and boxes.shape[-1] == 4 and torch.isfinite(boxes).all()
        if not good or not (boxes[:, 2:] > boxes[:, :2]).all():
            raise InputError(
                f"{who}: found boxes {boxes.tolist()}; needed corners in pixels: left, top, "
                "right, bottom, with right beyond left and bottom beyond top"
            )
        outside = (boxes[:, :2] >= boxes.new_tensor([width, height])) | (boxes[:, 2:] <= 0)
        if outside.any():
            raise InputError(
                f"{who}: found a box outside the picture of {width} x {height} pixels; needed "
                "boxes over its pixels: check which size they were made for"
            )
    return given.boxes


def load(folder: Path, family: Family, dtype: torch.dtype) -> PoseEstimator:
    """A pose model without a detector."""
    model: Any = load_model(family.class_name, folder, dtype)
    check_joints(model.config.num_labels, folder.name)
    return PoseEstimator(
        name=folder.name,
        family=family.name,
        module=nn.ModuleDict({"pose": model}),
        processor=load_processor("picture", folder),
        experts=model.config.backbone_config.num_experts > 1,
    )


def with_detector(estimator: PoseEstimator, folder: Path) -> PoseEstimator:
    """The same estimator that looks for people itself, with the detector in a second folder."""
    pose = estimator.module.get_submodule("pose")
    where = next(pose.parameters())
    detector = load_detector(folder, where.dtype)
    module = nn.ModuleDict({"pose": pose, "person": detector.module.to(where.device)})
    return replace(estimator, module=module, detector=detector)


FAMILIES = (
    Family(
        "ViTPose",
        "pose",
        ("vitpose",),
        "VitPoseForPoseEstimation",
        gives="people as POSE_KEYPOINT, and drawn",
        unit="pixels of the picture",
        good_for="openpose ControlNets; with a folder of RT-DETR for pictures of several people",
        load=load,
        extras=("scipy",),
    ),
)
