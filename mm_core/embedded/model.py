"""The embedded model, whole: what encodes each input, the denoiser and the autoencoder."""

from types import ModuleType

from torch import nn

from ..encoders.audio import BANDS
from .autoencoder import Autoencoder
from .conditioners import AudioEncoder, SpatialAdapter, StyleEncoder, TextEncoder
from .denoiser import Denoiser, Widths
from .scenes.attributes import SEGMENTS
from .vocabulary import TOKENS, WORDS

MODALITIES = ("text", "style", "depth", "pose", "segmentation", "audio")
SPATIAL = {"depth": 1, "pose": 3, "segmentation": len(SEGMENTS)}  # channels of the map


class Adapters(nn.Module):
    """Everything that turns an input other than text into tokens or residuals."""

    def __init__(self, widths: Widths, ops: ModuleType = nn):
        super().__init__()
        self.style = StyleEncoder(ops)
        self.audio = AudioEncoder(BANDS, ops)
        self.spatial = nn.ModuleDict(
            {
                name: SpatialAdapter(channels, widths.fine, widths.coarse, ops)
                for name, channels in SPATIAL.items()
            }
        )


class EmbeddedModel(nn.Module):
    """The parts under the names they have in the weights file."""

    def __init__(self, widths: Widths | None = None):
        super().__init__()
        widths = widths or Widths()
        self.text = TextEncoder(len(WORDS), TOKENS)
        self.adapters = Adapters(widths)
        self.denoiser = Denoiser(widths)
        self.autoencoder = Autoencoder()
