"""The nodes, in the order a workflow uses them."""

from comfy_api.latest import io

from .apply import ApplyImagePrompt
from .guide import GuidancePreset, Guider, KSampler
from .host.ip_adapter.files import register_folder
from .load import LoadEmbedded, LoadIPAdapter
from .modality import Audio, Condition, Depth, Pose, Segmentation, StyleImage, Text
from .report import ShowReport
from .schedule import DrawSchedule

register_folder()

NODES: list[type[io.ComfyNode]] = [
    LoadEmbedded,
    LoadIPAdapter,
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
    ApplyImagePrompt,
]
