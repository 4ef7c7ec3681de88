"""Inputs as ComfyUI hands them over -> HostModality."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import comfy.model_management
import torch

from ...mm_core.embedded import encode
from ...mm_core.embedded.conditions import Encoded, EncodedStream
from ...mm_core.encoders.control.keypoints import Unsized
from ...mm_core.encoders.doubts import depth_doubt, pose_doubt, sound_doubt, style_doubt
from ...mm_core.encoders.pose import people
from ...mm_core.encoders.waves import to_mono
from ...mm_core.errors import InputError
from ...mm_core.guidance.gain import numbers
from ...mm_core.priors.space import reader_named
from ...mm_core.types import Modality, Window
from .effects import (
    EMPTY,
    NAMED,
    ControlEffect,
    Effect,
    EmbeddedEffect,
    HostModality,
    TextEffect,
    effect_of,
)
from .embedded import HostAdapters
from .encoders.audio import checked
from .encoders.pictures import channels_first
from .ip_adapter.make import make_prompt
from .ip_adapter.prompt import Style
from .part import meeting, ranges_of
from .prior.readers import embedding_for
from .prior.vision import style_tokens
from .say import warn

BY_ENCODE_POSE = (
    ", or let Encode Pose do it: connect these and that picture there, and its keypoints here"
)
STYLE = reader_named("the embedded model's style input")


@dataclass(frozen=True)
class Guidance:
    """What every modality node says of its input's guidance, as the node has it."""

    weight: float
    start: float = 0.0
    end: float = 1.0
    schedule: Any = None
    mask: Any = None
    weights: str = ""
    group: str = ""

    def modality(self, name: str, continuous: bool = True) -> Modality:
        several = numbers(self.weights, f"{name}: weights") if self.weights.strip() else None
        mask = self.mask
        if mask is not None and mask.ndim == 2:
            mask = mask[None]
        if mask is not None and not torch.isfinite(mask).all():
            raise InputError(
                f"the mask of the {name} input has numbers that are not finite; connect a MASK of "
                "0 to 1"
            )
        return Modality(
            name,
            self.weight if several is None else several,
            Window(self.start, self.end, name),
            self.schedule,
            None if mask is None else mask.float().cpu(),
            self.group.strip(),
            continuous,
        )


@dataclass(frozen=True)
class Control:
    """A native ControlNet, from the sockets of a modality node. net None: there is none."""

    net: Any = None
    vae: Any = None
    strength: float = 1.0


def text(clip, prompt: str, negative: str, guidance: Guidance) -> HostModality:
    """A prompt; negative is what "no text" means to it."""
    if clip is None:
        raise InputError(
            "the clip input is invalid: None; the checkpoint it comes from has no text encoder"
        )
    known = NAMED if negative.strip() else EMPTY
    effect = TextEffect(_conditioning(clip, prompt), _conditioning(clip, negative), known)
    return _told("text", effect, guidance, effect.present)


def condition(conditioning, absent, name: str, guidance: Guidance) -> HostModality:
    """Any CONDITIONING; absent is the same without this input."""
    return _told(
        name.strip() or "condition", effect_of(conditioning, absent), guidance, conditioning
    )


def prompt(positive, negative, guidance: Guidance) -> HostModality:
    """CONDITIONING as a prompt. negative: what it pushes away from; None: zeros for tokens."""
    effect = effect_of(positive)
    if negative is not None:
        if not negative:
            raise InputError("the negative conditioning is empty: leave it out, or connect another")
        effect = TextEffect(positive, negative)
    return _told("text", effect, guidance, positive)


def _told(name: str, effect: Effect, guidance: Guidance, conditioning) -> HostModality:
    ranges = ranges_of(conditioning)
    continuous = isinstance(effect, TextEffect) and effect.continuous
    modality = replace(guidance.modality(name, continuous), within=meeting(ranges))
    return HostModality(modality, effect, ranges)


def style(
    adapters, ip_adapter, vision, image, look: Style, guidance: Guidance, output=None
) -> HostModality:
    """vision: CLIP_VISION or MMC_ENCODER, for an ip_adapter. output: CLIP_VISION_OUTPUT, in place
    of image."""
    _check_picture(ip_adapter, image, output)
    warn(None if image is None else style_doubt(channels_first(image)))
    if ip_adapter is not None:
        if adapters is not None:
            raise InputError(
                "the style input has both ip_adapter and adapters: connect the one that fits the "
                "model"
            )
        if look.strength == 0:
            guidance = replace(guidance, weight=0.0, weights="")
        prompt = make_prompt(ip_adapter, vision, image, look, output)
        return HostModality(guidance.modality("style"), prompt)
    _check_plain(look, vision)
    if output is not None:
        tokens = style_tokens(embedding_for(output, STYLE))
        return _embedded("style", adapters, guidance, lambda *_: EncodedStream("style", tokens))
    return _embedded(
        "style", adapters, guidance,
        lambda a, device: encode.encode_style(a, channels_first(image).to(device)),
    )  # fmt: skip


def _check_picture(ip_adapter, image, output) -> None:
    """InputError unless there is one of the two; FaceID adapters of a face alone need neither."""
    if image is not None and output is not None:
        raise InputError(
            "the style input has both image and clip_vision_output: connect one of them"
        )
    faces = ip_adapter is not None and {n.kind for n in ip_adapter.layout.needs} == {"identity"}
    if image is None and output is None and not faces:
        raise InputError(
            "the style input has no picture: connect image, or clip_vision_output of a picture or "
            "a prior"
        )


def _check_plain(look: Style, vision) -> None:
    """InputError for settings of an ip_adapter where there is none."""
    plain = Style()
    named = {"negative": "negative_image", "mask": "attention_mask"}
    set_here = [f.name for f in fields(Style) if getattr(look, f.name) is not getattr(plain, f.name)
                and getattr(look, f.name) != getattr(plain, f.name)]  # fmt: skip
    set_here += [] if vision is None else ["clip_vision or encoder"]
    if set_here:
        raise InputError(
            f"the style input has {', '.join(named.get(n, n) for n in set_here)} set, for an "
            "ip_adapter, and none is connected: connect one, or set it back; on the embedded "
            "model weight says how much"
        )


def depth(adapters, control: Control, image, guidance: Guidance) -> HostModality:
    warn(depth_doubt(channels_first(image)))
    if _is_native("depth", adapters, control):
        return _native("depth", control, image, guidance)
    return _embedded(
        "depth", adapters, guidance,
        lambda a, device: encode.encode_depth(
            a, channels_first(image).to(device).mean(1, keepdim=True)
        ),
    )  # fmt: skip


def pose(adapters, control: Control, image, keypoints, guidance: Guidance) -> HostModality:
    if (image is None) == (keypoints is None):
        found = "neither" if image is None else "both"
        raise InputError(f"found {found} of image and keypoints; connect exactly one of them")
    warn(None if image is None else pose_doubt(channels_first(image)))
    if _is_native("pose", adapters, control):
        if image is None:
            raise InputError(
                "a ControlNet reads a picture of the pose: connect image, which the pose "
                "estimator gives beside its keypoints"
            )
        return _native("pose", control, image, guidance)
    if image is not None:
        return _embedded(
            "pose", adapters, guidance,
            lambda a, device: encode.encode_skeleton(a, channels_first(image).to(device)),
        )  # fmt: skip
    points = people(keypoints, "the keypoints input", Unsized(otherwise=BY_ENCODE_POSE))
    return _embedded(
        "pose", adapters, guidance,
        lambda a, device: encode.encode_people(a, points, device),
    )  # fmt: skip


def segmentation(adapters, control: Control, image, guidance: Guidance) -> HostModality:
    if _is_native("segmentation", adapters, control):
        return _native("segmentation", control, image, guidance)
    return _embedded(
        "segmentation", adapters, guidance,
        lambda a, device: encode.encode_segmentation(
            a, channels_first(image).to(device), "the image input"
        ),
    )  # fmt: skip


def audio(adapters, sound, guidance: Guidance) -> HostModality:
    heard = checked(sound)
    wave = to_mono(heard.waves, heard.rate, "the audio input")
    warn(sound_doubt(wave))
    return _embedded(
        "audio", adapters, guidance,
        lambda a, device: encode.encode_audio(a, wave.to(device)),
    )  # fmt: skip


def _conditioning(clip, prompt: str):
    return clip.encode_from_tokens_scheduled(clip.tokenize(prompt))


def _is_native(name: str, adapters, control: Control) -> bool:
    if control.net is not None and adapters is not None:
        raise InputError(
            f"the {name} input has both control_net and adapters: connect the one that fits the "
            "model"
        )
    return control.net is not None


def _native(name: str, control: Control, image, guidance: Guidance) -> HostModality:
    """The ControlNet with its picture, for the whole of sampling: windows are ours."""
    if getattr(control.net, "latent_format", None) is not None and control.vae is None:
        raise InputError(
            f"this ControlNet reads latents: connect the checkpoint's vae to the {name} input"
        )
    if control.strength == 0:
        guidance = replace(guidance, weight=0.0, weights="")
    channels_first(image)  # refuses what is no picture
    hint = (image[..., :3] if image.shape[-1] > 1 else image.repeat(1, 1, 1, 3)).movedim(-1, 1)
    ready = control.net.copy().set_cond_hint(hint, control.strength, (0.0, 1.0), vae=control.vae)
    return HostModality(guidance.modality(name), ControlEffect(ready))


def _embedded(
    name: str,
    adapters: HostAdapters | None,
    guidance: Guidance,
    run: Callable[[Any, torch.device], Encoded],
) -> HostModality:
    if adapters is None:
        raise InputError(
            f"the {name} input has no encoder: connect adapters, from Load Embedded Model"
            + {"style": ", or an ip_adapter", "audio": ""}.get(name, ", or a control_net")
        )
    modality = guidance.modality(name)
    encoded = run(*adapters.ready())
    home = comfy.model_management.intermediate_device()
    moved = {
        f.name: v.to(home) if isinstance(v := getattr(encoded, f.name), torch.Tensor) else v
        for f in fields(encoded)
    }
    return HostModality(modality, EmbeddedEffect(type(encoded)(**moved), adapters.base))
