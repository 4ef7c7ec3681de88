"""The nodes, in the order a workflow uses them."""

import sys
from pathlib import Path

from comfy_api.latest import io

from ..mm_core.weights.command import call_as
from .apply import ApplyImagePrompt
from .encode import EncodeAudio, EncodeImage, EncodeText, EncodeVideo
from .examples import ExampleInputs
from .fuse import FuseEmbeddings
from .guide import GuidancePreset, Guider, KSampler
from .host.encoders import files as encoder_files
from .host.fusion import files as fusion_files
from .host.ip_adapter import files as ip_adapter_files
from .host.prior import files as prior_files
from .load import LoadEmbedded, LoadEncoder, LoadFusion, LoadIPAdapter, LoadPrior
from .maps import EncodeDepth, EncodePose, EncodeSegmentation
from .mix import MixEmbeddings
from .modality import Audio, Condition, Depth, Pose, Segmentation, StyleImage, Text
from .prior import DiffusionPrior
from .report import ShowReport
from .schedule import DrawSchedule
from .variations import Variations

call_as(sys.executable or "python", str(Path(__file__).absolute().parents[1] / "mmc.py"))
for files in (ip_adapter_files, encoder_files, fusion_files, prior_files):
    files.register_folder()

NODES: list[type[io.ComfyNode]] = [
    LoadEmbedded,
    LoadIPAdapter,
    LoadEncoder,
    LoadFusion,
    LoadPrior,
    ExampleInputs,
    EncodeText,
    EncodeImage,
    EncodeDepth,
    EncodePose,
    EncodeSegmentation,
    EncodeAudio,
    EncodeVideo,
    FuseEmbeddings,
    DiffusionPrior,
    MixEmbeddings,
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
    Variations,
    ShowReport,
    ApplyImagePrompt,
]
