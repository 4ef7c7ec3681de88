"""Depth estimators: how near each pixel of a picture is.

Two units, and nothing in between is guessed. "inverse": larger is nearer, the scale and the offset
are unknown (Ranftl et al. 2020, MiDaS, arXiv 1907.01341). "metres": distance, larger is farther.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from ..types import Float, Tensor
from .control.depth import depth_map
from .encoder import DepthUnit, Encoding, Kind, Tick, no_tick
from .family import Family, Loader
from .folder import load_model, load_processor, read_config
from .forward import forward, prepared
from .images import check_pictures, images

# (processor, what the model gave, height, width) -> (1, 1, height, width)
Enlarge = Callable[[Any, Any, int, int], Float[Tensor, "1 1 h w"]]


@dataclass(eq=False)
class DepthEstimator:
    """Pictures -> Encoding.depth at the pictures' own size, and .control, where near is white.

    Made by load_encoder. note: what a user should know of this folder's model, or nothing.
    """

    name: str
    family: str
    module: nn.Module
    processor: Any
    unit: DepthUnit
    enlarge: Enlarge
    note: str = ""
    kind: Kind = "depth"
    width: int | None = None
    needs: str = "pictures (b, 3, h, w), RGB in 0..1, of any size and aspect"

    def __call__(self, given: Any, tick: Tick = no_tick) -> Encoding:
        """One picture at a time, so that a batch needs no more memory than its largest part."""
        pictures = check_pictures(given, self.name)
        height, width = pictures.shape[-2:]
        maps = []
        for i in range(len(pictures)):
            maps.append(self._one(pictures[i : i + 1], height, width))
            tick(i + 1, len(pictures))
        depth = torch.cat(maps)
        control = depth_map(depth, self.unit)
        return Encoding(depth=depth, depth_unit=self.unit, control=control)

    def _one(
        self, picture: Float[Tensor, "1 3 h w"], height: int, width: int
    ) -> Float[Tensor, "1 1 h w"]:
        inputs = prepared(self.processor, images=images(picture))
        found = forward(self.module, {"pixel_values": inputs["pixel_values"]})
        found.predicted_depth = found.predicted_depth.float()
        return self.enlarge(self.processor, found, height, width)


def as_processor(processor: Any, found: Any, height: int, width: int) -> Float[Tensor, "1 1 h w"]:
    """Enlarged as the family's own processor does it: bicubic for DPT and Depth Anything."""
    done = processor.post_process_depth_estimation(found, target_sizes=[(height, width)])
    return done[0]["predicted_depth"].view(1, 1, height, width)


def canonical(processor: Any, found: Any, height: int, width: int) -> Float[Tensor, "1 1 h w"]:
    """Depth Pro without a field of view: inverse depth, up to the unknown focal length."""
    return 1 / as_processor(processor, found, height, width)


def without_padding(
    processor: Any, found: Any, height: int, width: int
) -> Float[Tensor, "1 1 h w"]:
    """ZoeDepth: its processor pads pictures by reflection, and what was padded is cut off again.

    Written out because transformers' own needs torchvision even where nothing else does.
    """
    top = int((height / 2) ** 0.5 * 3) if processor.do_pad else 0
    left = int((width / 2) ** 0.5 * 3) if processor.do_pad else 0
    depth = found.predicted_depth[:, None]
    size = (height + 2 * top, width + 2 * left)
    large = F.interpolate(depth, size, mode="bicubic", align_corners=False)
    return large[..., top : top + height, left : left + width]


def dpt_unit(config: Mapping[str, Any]) -> DepthUnit:
    """Of a DPT folder: those on DINOv2 are trained on metres (NYU, KITTI), the others as MiDaS."""
    backbone = config.get("backbone_config") or {}
    return "metres" if backbone.get("model_type") == "dinov2" else "inverse"


def anything_unit(config: Mapping[str, Any]) -> DepthUnit:
    """Of a Depth Anything folder, which says it."""
    return "metres" if config.get("depth_estimation_type") == "metric" else "inverse"


def pro_unit(config: Mapping[str, Any]) -> DepthUnit:
    """Of a Depth Pro folder: without a field of view, its depth has no scale."""
    return "metres" if config.get("use_fov_model") else "inverse"


def loader(unit_of: Callable[[Mapping[str, Any]], DepthUnit], enlarge: Enlarge) -> Loader:
    """How folders of a family are opened."""

    def load(folder: Path, family: Family, dtype: torch.dtype) -> DepthEstimator:
        config = read_config(folder)
        unit, way, note = unit_of(config), enlarge, ""
        if unit == "inverse" and config.get("model_type") == "depth_pro":
            way, note = canonical, NO_VIEW
        return DepthEstimator(
            name=folder.name,
            family=family.name,
            module=load_model(family.class_name, folder, dtype),
            processor=load_processor("picture", folder),
            unit=unit,
            enlarge=way,
            note=note,
        )

    return load


NO_VIEW = "this Depth Pro has no field-of-view model: its depth is inverse and has no scale"
EITHER = "inverse depth without scale, or metres, as the folder says"
FAMILIES = (
    Family(
        "Depth Anything",
        "depth",
        ("depth_anything",),
        "DepthAnythingForDepthEstimation",
        gives="depth at the picture's size, and a map of it",
        unit=EITHER,
        good_for="depth ControlNets: sharp, fast, any scene",
        load=loader(anything_unit, as_processor),
    ),
    Family(
        "DPT",
        "depth",
        ("dpt",),
        "DPTForDepthEstimation",
        gives="depth at the picture's size, and a map of it",
        unit=EITHER,
        good_for="depth ControlNets trained on MiDaS 3, which expect its look",
        load=loader(dpt_unit, as_processor),
        architectures=("DPTForDepthEstimation",),
    ),
    Family(
        "ZoeDepth",
        "depth",
        ("zoedepth",),
        "ZoeDepthForDepthEstimation",
        gives="depth at the picture's size, and a map of it",
        unit="metres",
        good_for="distances in rooms and streets",
        load=loader(lambda config: "metres", without_padding),
    ),
    Family(
        "Depth Pro",
        "depth",
        ("depth_pro",),
        "DepthProForDepthEstimation",
        gives="depth at the picture's size, and a map of it",
        unit="metres; inverse depth without scale where the folder has no field-of-view model",
        good_for="the finest edges, hair and fences; slow",
        load=loader(pro_unit, as_processor),
        extras=("torchvision",),
    ),
)
