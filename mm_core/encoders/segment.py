"""Semantic segmentation: pictures -> what each pixel shows, among the classes a model knows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import torch.nn.functional as F
from PIL.Image import Image
from torch import nn

from ..types import Float, Int, Picture, Tensor
from .altered import load_altered
from .class_map import class_masks, enlarged_classes, query_scores
from .control.palette import PALETTES, Palette, paint
from .encoder import Encoding, Kind, Tick, no_tick
from .family import Family, Loader
from .folder import load_model, load_processor, read_config
from .forward import forward
from .images import check_pictures, images

Scores = Callable[[Any], Float[Tensor, "1 c y x"]]  # of what the model gave
QUERY_SIDE = (384, 384)  # to which transformers brings Mask2Former's masks before it adds them up


@dataclass(eq=False)
class Segmenter:
    """Pictures -> Encoding.classes, .masks, .labels, and .control in ADE20K's or COCO's colours.

    Made by load_encoder. prepare: from images to what module takes. names: of classes, by index.
    only: those of which there are masks, None for all that are shown; the masks of a video can be
    too many to hold.
    """

    name: str
    family: str
    module: nn.Module
    prepare: Callable[..., Mapping[str, Tensor]]
    scores: Scores
    names: Mapping[int, str]
    only: Sequence[str] | None = None
    kind: Kind = "segmentation"
    width: int | None = None
    needs: str = "pictures (b, 3, h, w), RGB in 0..1, of any size and aspect"

    def __call__(self, given: Any, tick: Tick = no_tick) -> Encoding:
        """One picture at a time. Masks are of the classes that any of the pictures shows."""
        pictures = check_pictures(given, self.name)
        shown = []
        for i in range(len(pictures)):
            shown.append(self._one(pictures[i : i + 1]))
            tick(i + 1, len(pictures))
        classes = torch.cat(shown)
        masks, labels = class_masks(classes, self.names, self.only)
        palette = palette_of(self.names)
        control = None if palette is None else paint(classes, palette)
        return Encoding(classes=classes, masks=masks, labels=labels, control=control)

    def _one(self, picture: Picture) -> Int[Tensor, "1 h w"]:
        inputs = self.prepare(images(picture))
        scores = self.scores(forward(self.module, inputs))
        return enlarged_classes(scores, *picture.shape[-2:])


def palette_of(names: Mapping[int, str]) -> Palette | None:
    """The palette that ControlNets know these classes in, if there is one.

    By their number and the first of them: spellings differ from folder to folder.
    """
    for palette in PALETTES.values():
        first = names.get(0, "").lower()
        if len(names) == len(palette.classes) and first == palette.classes[0]:
            return palette
    return None


def direct_scores(found: Any) -> Float[Tensor, "1 c y x"]:
    """SegFormer: one map of scores for each class."""
    return found.logits.float()


def oneformer_scores(found: Any) -> Float[Tensor, "1 c y x"]:
    """OneFormer: queries, each a class and a mask."""
    return query_scores(found.class_queries_logits.float(), found.masks_queries_logits.float())


def mask2former_scores(found: Any) -> Float[Tensor, "1 c y x"]:
    """Mask2Former: the same, at the one size that transformers compares them at."""
    masks = F.interpolate(
        found.masks_queries_logits.float(), QUERY_SIDE, mode="bilinear", align_corners=False
    )
    return query_scores(found.class_queries_logits.float(), masks)


Prepare = Callable[[list[Image]], Mapping[str, Tensor]]


def plain(folder: Path) -> Prepare:
    """The image processor alone."""
    processor = load_processor("picture", folder)
    return lambda pictures: processor(images=pictures, return_tensors="pt")


def with_task(folder: Path) -> Prepare:
    """OneFormer reads, besides the picture, which of its tasks to do."""
    # A file of class names is for training alone, and is looked for on a hub.
    with TemporaryDirectory() as made:
        nothing = Path(made) / "classes.json"
        nothing.write_text("{}")
        processor = load_altered(folder, class_info_file=str(nothing))
    tokenizer = load_processor("text", folder)
    length = read_config(folder).get("task_seq_len", 77)
    said = tokenizer(
        ["the task is semantic"], padding="max_length", max_length=length, truncation=True
    )
    task = torch.tensor(said["input_ids"]) * torch.tensor(said["attention_mask"])

    def prepare(pictures: list[Image]) -> Mapping[str, Tensor]:
        found = processor(pictures, ["semantic"] * len(pictures), return_tensors="pt")
        return {
            "pixel_values": found["pixel_values"],
            "pixel_mask": found["pixel_mask"],
            "task_inputs": task.expand(len(pictures), -1),
        }

    return prepare


def loader(prepare: Callable[[Path], Prepare], scores: Scores) -> Loader:
    """How folders of a family are opened."""

    def load(folder: Path, family: Family, dtype: torch.dtype) -> Segmenter:
        module: Any = load_model(family.class_name, folder, dtype)
        return Segmenter(
            name=folder.name,
            family=family.name,
            module=module,
            prepare=prepare(folder),
            scores=scores,
            names=dict(module.config.id2label),
        )

    return load


FAMILIES = (
    Family(
        "SegFormer",
        "segmentation",
        ("segformer",),
        "SegformerForSemanticSegmentation",
        gives="a class for each pixel, masks, and ADE20K's or COCO's colours",
        unit="classes as the folder names them",
        good_for="segmentation ControlNets (ADE20K): small and fast",
        load=loader(plain, direct_scores),
        architectures=("SegformerForSemanticSegmentation",),
    ),
    Family(
        "Mask2Former",
        "segmentation",
        ("mask2former",),
        "Mask2FormerForUniversalSegmentation",
        gives="a class for each pixel, masks, and ADE20K's or COCO's colours",
        unit="classes as the folder names them",
        good_for="segmentation ControlNets, with sharper edges than SegFormer's",
        load=loader(plain, mask2former_scores),
        extras=("scipy",),
    ),
    Family(
        "OneFormer",
        "segmentation",
        ("oneformer",),
        "OneFormerForUniversalSegmentation",
        gives="a class for each pixel, masks, and ADE20K's or COCO's colours",
        unit="classes as the folder names them",
        good_for="segmentation ControlNets: its maps are what the ADE20K ones were made with",
        load=loader(with_task, oneformer_scores),
        extras=("scipy",),
    ),
)
