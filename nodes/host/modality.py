"""Inputs as ComfyUI hands them over -> HostModality."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import comfy.model_management
import torch

from ...mm_core.branches.shapes import blend
from ...mm_core.embedded import encode
from ...mm_core.embedded.conditions import Encoded, EncodedMap
from ...mm_core.encoders.pose import people
from ...mm_core.encoders.waves import to_mono
from ...mm_core.errors import InputError
from ...mm_core.types import Modality, Window
from .embedded import HostAdapters


@dataclass(frozen=True)
class TextEffect:
    """CONDITIONING with the prompt, and without it."""

    present: Any
    absent: Any

    @property
    def continuous(self) -> bool:
        """Whether there is something halfway: both are one entry of the same length."""
        ends = self.present, self.absent
        return all(len(c) == 1 for c in ends) and len({c[0][0].shape for c in ends}) == 1

    def at(self, strength: float):
        """CONDITIONING between absent (0) and present (1), or beyond: tokens and pooled vector."""
        if strength == 1:
            return self.present
        (tokens, options), (none, without) = self.present[0], self.absent[0]
        mixed = {
            key: blend(without[key], value, strength)
            for key, value in options.items()
            if key == "pooled_output" and isinstance(value, torch.Tensor)
        }
        return [[blend(none, tokens, strength), {**options, **mixed}]]


@dataclass(frozen=True)
class EmbeddedEffect:
    """What one of the embedded model's encoders made of an input.

    base: CONDITIONING of the empty prompt, for graphs without text.
    """

    encoded: Encoded
    base: Any

    @property
    def samples(self) -> torch.Tensor:
        """A tensor as long as the input's batch."""
        return self.encoded.fine if isinstance(self.encoded, EncodedMap) else self.encoded.tokens


@dataclass(frozen=True)
class HostModality:
    """Self-contained: everything a guider needs to build the rows that see this input."""

    modality: Modality
    effect: TextEffect | EmbeddedEffect

    def renamed(self, name: str) -> "HostModality":
        return replace(self, modality=replace(self.modality, name=name))


def text(clip, prompt: str, negative: str, weight, start, end) -> HostModality:
    """A prompt; negative is what "no text" means to it."""
    if clip is None:
        raise InputError(
            "the clip input is invalid: None; the checkpoint it comes from has no text encoder"
        )
    effect = TextEffect(_conditioning(clip, prompt), _conditioning(clip, negative))
    modality = replace(_modality("text", weight, start, end), continuous=effect.continuous)
    return HostModality(modality, effect)


def style(adapters, image, weight, start, end) -> HostModality:
    return _embedded(
        "style", adapters, weight, start, end,
        lambda a, device: encode.encode_style(a, _channels_first(image, device)),
    )  # fmt: skip


def depth(adapters, image, weight, start, end) -> HostModality:
    return _embedded(
        "depth", adapters, weight, start, end,
        lambda a, device: encode.encode_depth(
            a, _channels_first(image, device).mean(1, keepdim=True)
        ),
    )  # fmt: skip


def pose(adapters, image, keypoints, weight, start, end) -> HostModality:
    if (image is None) == (keypoints is None):
        found = "neither" if image is None else "both"
        raise InputError(f"found {found} of image and keypoints; connect exactly one of them")
    if image is not None:
        return _embedded(
            "pose", adapters, weight, start, end,
            lambda a, device: encode.encode_skeleton(a, _channels_first(image, device)),
        )  # fmt: skip
    points = people(keypoints, "the keypoints input")
    return _embedded(
        "pose", adapters, weight, start, end,
        lambda a, device: encode.encode_people(a, points, device),
    )  # fmt: skip


def segmentation(adapters, image, weight, start, end) -> HostModality:
    return _embedded(
        "segmentation", adapters, weight, start, end,
        lambda a, device: encode.encode_segmentation(
            a, _channels_first(image, device), "the image input"
        ),
    )  # fmt: skip


def audio(adapters, sound, weight, start, end) -> HostModality:
    wave = to_mono(sound["waveform"], int(sound["sample_rate"]), "the audio input")
    return _embedded(
        "audio", adapters, weight, start, end,
        lambda a, device: encode.encode_audio(a, wave.to(device)),
    )  # fmt: skip


def _conditioning(clip, prompt: str):
    return clip.encode_from_tokens_scheduled(clip.tokenize(prompt))


def _modality(name: str, weight, start, end) -> Modality:
    return Modality(name, weight, Window(start, end))


def _embedded(
    name: str,
    adapters: HostAdapters | None,
    weight,
    start,
    end,
    run: Callable[[Any, torch.device], Encoded],
) -> HostModality:
    if adapters is None:
        raise InputError(
            f"the {name} input has no encoder: connect adapters, from Load Embedded Model"
        )
    modality = _modality(name, weight, start, end)
    encoded = run(*adapters.ready())
    home = comfy.model_management.intermediate_device()
    moved = {
        f.name: v.to(home) if isinstance(v := getattr(encoded, f.name), torch.Tensor) else v
        for f in fields(encoded)
    }
    return HostModality(modality, EmbeddedEffect(type(encoded)(**moved), adapters.base))


def _channels_first(image, device):
    """IMAGE (b, h, w, 1, 3 or 4) -> (b, 3, h, w) on the device. Alpha is left out, as core does."""
    color = image[..., :3] if image.shape[-1] >= 3 else image[..., :1].expand(*image.shape[:-1], 3)
    return color.movedim(-1, 1).to(device, torch.float32)
