"""A user's input, as tensors of any size, to what the rows are built from."""

import torch
import torch.nn.functional as F

from ..encoders.audio import log_mel
from ..encoders.pictures import square
from ..encoders.segmentation import nearest_class
from ..types import Float, Int, Picture, Tensor
from .conditioners import TextEncoder
from .conditions import EncodedMap, EncodedStream, EncodedText
from .model import Adapters
from .scenes.attributes import MAP_PIXELS, SEGMENT_RGB
from .scenes.skeleton import draw_people
from .vocabulary import tokenize


def encode_text(encoder: TextEncoder, prompt: str, negative: str = "") -> EncodedText:
    """negative is what the picture is pushed away from; empty means "no text"."""
    return EncodedText(_tokens(encoder, prompt), _tokens(encoder, negative))


def encode_style(adapters: Adapters, picture: Picture) -> EncodedStream:
    """A style picture of any size; its central square is read."""
    return EncodedStream("style", adapters.style(square(picture, MAP_PIXELS)))


def encode_depth(adapters: Adapters, depth: Float[Tensor, "b 1 h w"]) -> EncodedMap:
    """A depth map, 0 far to 1 near."""
    return _map(adapters, "depth", square(depth, MAP_PIXELS))


def encode_skeleton(adapters: Adapters, skeleton: Picture) -> EncodedMap:
    """A rendered OpenPose skeleton on black."""
    return _map(adapters, "pose", square(skeleton, MAP_PIXELS))


def encode_people(
    adapters: Adapters, people: Float[Tensor, "n 18 3"], device: torch.device | None = None
) -> EncodedMap:
    """Keypoints of one picture's people, 0..1. device: where the adapters run."""
    return _map(adapters, "pose", draw_people(people).to(device or people.device))


def encode_segmentation(adapters: Adapters, picture: Picture, source: str) -> EncodedMap:
    """A segmentation in the palette of scenes.attributes.SEGMENT_RGB."""
    small = square(picture, MAP_PIXELS, exact=True)
    index = nearest_class(small, SEGMENT_RGB, source)
    return _map(adapters, "segmentation", one_hot_segments(index))


def encode_audio(adapters: Adapters, wave: Float[Tensor, "b t"]) -> EncodedStream:
    """A mono wave at encoders.audio.SAMPLE_RATE."""
    return EncodedStream("audio", adapters.audio(log_mel(wave)))


def one_hot_segments(index: Int[Tensor, "b h w"]) -> Float[Tensor, "b 8 h w"]:
    """Segment indices as the map that the segmentation adapter reads."""
    return F.one_hot(index.long(), len(SEGMENT_RGB)).permute(0, 3, 1, 2).float()


def _tokens(encoder: TextEncoder, prompt: str) -> Tensor:
    device = encoder.embedding.weight.device
    return encoder(torch.tensor([tokenize(prompt)], device=device))


def _map(adapters: Adapters, name: str, map_: Tensor) -> EncodedMap:
    fine, coarse = adapters.spatial[name](map_)
    return EncodedMap(fine, coarse)
