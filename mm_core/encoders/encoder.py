"""What every encoder is, whatever it encodes: one call, and what it gives.

Imports no transformers: families do that when a folder is opened.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from torch import nn

from ..types import Float, Int, ModalityEmbedding, Picture, Tensor

Kind = Literal["text", "image", "depth", "pose", "segmentation", "audio", "video"]
DepthUnit = Literal["inverse", "metres"]
Tick = Callable[[int, int], None]  # parts done, parts in all; raises to stop between two parts


def no_tick(done: int, total: int) -> None:
    """Where nobody watches."""


@dataclass(frozen=True)
class Encoding:
    """What an encoder says about an input; what it does not say is None.

    embedding: tokens, one row for each sample. vector: one vector for each, as the family pools.
    depth: as the model gives it, in the unit said: "metres" grow with distance, "inverse" grows
    towards the camera by an unknown scale and offset. control: a map for a ControlNet, by the
    default conventions. keypoints: frames of POSE_KEYPOINT. masks: (b, k, h, w), 0 or 1, each
    called by labels. classes: the index of the class that each pixel shows.
    """

    embedding: ModalityEmbedding | None = None
    vector: Float[Tensor, "b d"] | None = None
    depth: Float[Tensor, "b 1 h w"] | None = None
    control: Picture | None = None
    keypoints: Sequence[Mapping[str, Any]] | None = None
    masks: Float[Tensor, "b k h w"] | None = None
    labels: Sequence[str] = field(default=())
    depth_unit: DepthUnit | None = None
    classes: Int[Tensor, "b h w"] | None = None


@runtime_checkable  # a result of load_encoder is checked in tests
class Encoder(Protocol):
    """A model in a folder, ready to be called.

    name: the folder's. family: see families. kind: of input. width: of its tokens, None where it
    gives none. needs: what it takes, for messages. module: holds every weight, so that a host can
    move it; inputs are brought to where it is, in its precision.
    """

    name: str
    family: str
    kind: Kind
    width: int | None
    needs: str
    module: nn.Module

    def __call__(self, given: Any, tick: Tick = no_tick) -> Encoding:
        """given: pictures (b, 3, h, w) in 0..1; a Sound; texts; frames as pictures.

        Raises InputError for what cannot be encoded. Results are float32, on the module's device.
        """
        ...


@dataclass(frozen=True)
class Sound:
    """Waves (b, channels, t) in -1..1 at a rate in Hz."""

    waves: Float[Tensor, "b c t"]
    rate: int


@dataclass(frozen=True)
class Frames:
    """Frames (f, 3, h, w) in 0..1 of one video, in order, at a rate in frames a second."""

    pictures: Tensor
    rate: float
