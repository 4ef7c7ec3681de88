"""Pictures or keypoints -> a skeleton for ControlNets, and keypoints that any node reads."""

from dataclasses import replace
from typing import Any

from ....mm_core.encoders.control.keypoints import SCORES, frames_of, keypoints_of
from ....mm_core.encoders.control.skeleton import ANNOTATORS, CORE, XINSIR, draw_frames
from ....mm_core.encoders.pose_estimation import Boxed
from ..patcher import home
from .chosen import needs, the_one
from .embedding import HostEmbedding, without_tokens
from .encoder import embedding_of
from .pictures import as_image, channels_first
from .places import boxes_of
from .size import Size

STYLES = {"controlnet": ANNOTATORS, "xinsir": XINSIR, "comfyui": CORE}


def encode_pose(
    image=None,
    encoder=None,
    keypoints=None,
    style: str = "controlnet",
    hands: bool = True,
    face: bool = True,
    confidence: float = 0.3,
    boxes: str = "",
    size: Size | None = None,
) -> tuple[Any, Any, HostEmbedding]:
    """IMAGE, POSE_KEYPOINT and the embedding. boxes: of people, in pixels, alike in each picture;
    without, the encoder looks for people itself where it can."""
    embedding = without_tokens("Encode Pose")
    if the_one("pose", encoder=encoder, keypoints=keypoints) == "encoder":
        pictures = channels_first(needs("pose", image, "image", "a picture with people"))
        where = boxes_of(boxes)
        reads = encoder.of_kind("pose")
        made = reads(pictures if where is None else Boxed(pictures, [where] * len(pictures)))
        embedding = embedding_of(reads.encoder, made)
        keypoints = _scored(made.keypoints)
    frames = [_sized(f, size) for f in frames_of(keypoints, "the keypoints input")]
    drawing = replace(STYLES[style], hands=hands, face=face, seen=confidence)
    drawn = as_image(draw_frames(frames, drawing)).to(home())
    return drawn, keypoints_of(frames), embedding


def _sized(frame, size: Size | None):
    fit = size and size.of(frame.width, frame.height)
    return frame if fit is None else fit.frame(frame)


def _scored(frames):
    """Frames of an encoder of ours, whose points say 1 or 0, with how sure it was of each."""
    return [{**f, "people": [_sure(person) for person in f["people"]]} for f in frames]


def _sure(person):
    """Points that were left out have no place: they stay out, whatever their score."""
    said = {}
    for part, scores in person.get("scores", {}).items():
        seen = person[f"{part}_keypoints_2d"][2::3]
        said[f"{part}_keypoints_2d"] = [s if c else 0.0 for s, c in zip(scores, seen, strict=True)]
    return {**person, SCORES: said} if said else person
