"""The nodes, in the order a workflow uses them."""

from comfy_api.latest import io

from .guide import GuidancePreset, Guider, KSampler
from .load import LoadEmbedded
from .modality import Audio, Condition, Depth, Pose, Segmentation, StyleImage, Text
from .report import ShowReport
from .schedule import DrawSchedule

NODES: list[type[io.ComfyNode]] = [
    LoadEmbedded,
    Text,
    StyleImage,
    Depth,
    Pose,
    Segmentation,
    Audio,
    Condition,
    GuidancePreset,
    DrawSchedule,
    Guider,
    KSampler,
    ShowReport,
]
