"""Pictures or keypoints -> a skeleton for ControlNets, and keypoints that any node reads."""

from dataclasses import replace
from typing import Any

from ....mm_core.encoders.control.keypoints import Unsized, frames_of, keypoints_of
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

CONNECT = ", or connect that picture to image"


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
    without, the encoder looks for people itself where it can. image beside keypoints: how large
    their canvas is, where they do not say it."""
    embedding, unsized = without_tokens("Encode Pose"), Unsized(otherwise=CONNECT)
    if the_one("pose", encoder=encoder, keypoints=keypoints) == "encoder":
        pictures = channels_first(needs("pose", image, "image", "a picture with people"))
        where = boxes_of(boxes)
        reads = encoder.of_kind("pose")
        made = reads(pictures if where is None else Boxed(pictures, [where] * len(pictures)))
        embedding = embedding_of(reads.encoder, made)
        keypoints = made.keypoints
    elif image is not None:
        pictures = channels_first(image)
        unsized = Unsized((pictures.shape[-1], pictures.shape[-2]))
    found = frames_of(keypoints, "the keypoints input", unsized=unsized)
    frames = [_sized(f, size) for f in found]
    drawing = replace(STYLES[style], hands=hands, face=face, seen=confidence)
    drawn = as_image(draw_frames(frames, drawing)).to(home())
    return drawn, keypoints_of(frames), embedding


def _sized(frame, size: Size | None):
    fit = size and size.of(frame.width, frame.height)
    return frame if fit is None else fit.frame(frame)
