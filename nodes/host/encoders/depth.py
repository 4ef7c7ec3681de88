"""Pictures, or maps of others -> depth maps for ControlNets, near is white."""

from dataclasses import dataclass
from typing import Any

from ....mm_core.encoders.control.depth import depth_map
from ....mm_core.encoders.doubts import depth_doubt
from ..patcher import home
from ..say import warn
from .chosen import needs
from .embedding import HostEmbedding, without_tokens
from .encoder import embedding_of
from .pictures import as_image, channels_first
from .size import Size

HOW = ("min-max", "percentile", "fixed")


@dataclass(frozen=True)
class Scale:
    """How depth becomes grey, as the node has it; see depth_map."""

    scale: str = "min-max"
    low_percent: float = 2.0
    high_percent: float = 98.0
    nearest: float = 0.5
    farthest: float = 20.0
    together: bool = False

    def ends(self) -> dict[str, Any]:
        low_high = {
            "min-max": (None, None),
            "percentile": (self.low_percent, self.high_percent),
            "fixed": (self.nearest, self.farthest),
        }[self.scale]
        return dict(zip(("low", "high"), low_high, strict=True))


def encode_depth(image, scale: Scale, size: Size, encoder=None) -> tuple[Any, HostEmbedding]:
    """IMAGE and the embedding. Without an encoder, image is a map already, near is white."""
    pictures = channels_first(needs("depth", image, "image", "a picture"))
    if encoder is None:
        warn(depth_doubt(pictures))
        depth, unit = pictures.mean(1, keepdim=True), "inverse"
        embedding = without_tokens("Encode Depth")
    else:
        reads = encoder.of_kind("depth")
        made = reads(pictures)
        depth, unit = made.depth, made.depth_unit
        embedding = embedding_of(reads.encoder, made)
    drawn = depth_map(depth, unit, scale.scale, together=scale.together, **scale.ends())
    fit = size.of_map(drawn)
    return as_image(drawn if fit is None else fit.picture(drawn)).to(home()), embedding
