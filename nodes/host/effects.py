"""What a modality does to the rows that see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from ...mm_core.branches.shapes import blend
from ...mm_core.embedded.conditions import Encoded, EncodedMap
from ...mm_core.errors import InputError
from ...mm_core.types import Modality, Window
from .ip_adapter.prompt import ImagePromptEffect

ADDED = (
    "audio_embed", "clip_vision_output", "concat_latent_image", "concat_mask", "control",
    "control_apply_to_uncond", "gligen", "noise_augmentation", "reference_latents",
    "reference_latents_method", "time_dim_concat", "unclip_conditioning", "model_conds",
)  # fmt: skip
"""What native nodes add to a prompt's CONDITIONING."""

PLACED = ("area", "mask", "mask_strength", "set_area_to_bounds", "strength", "default")
RANGE = ("start_percent", "end_percent")
CLIP_RANGE = ("clip_start_percent", "clip_end_percent")
NEARLY = 1e-4  # the host leaves gaps of a tenth of this between ranges that meet


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
            if key == "pooled_output"
            and isinstance(value, torch.Tensor)
            and isinstance(without.get(key), torch.Tensor)
        }
        return [[blend(none, tokens, strength), {**options, **mixed}]]


@dataclass(frozen=True)
class AddedEffect:
    """What native nodes added to a prompt's CONDITIONING: options, and tokens at its end."""

    options: Mapping[str, Any]
    tokens: torch.Tensor | None = None

    def onto(self, conditioning):
        """CONDITIONING with what was added. Lists, such as reference latents, grow."""
        return [self._onto(tokens, options) for tokens, options in conditioning]

    def _onto(self, tokens, options):
        merged = dict(options)
        for key, value in self.options.items():
            before = merged.get(key)
            grows = isinstance(value, list) and isinstance(before, list)
            merged[key] = before + value if grows else value
        if self.tokens is not None:
            tokens = torch.cat([tokens, self.tokens.to(tokens)], 1)
            merged = _longer_mask(merged, self.tokens.shape[1])
        return [tokens, merged]


@dataclass(frozen=True)
class ControlEffect:
    """A ControlNet with its picture, strength and window set."""

    control: Any

    @property
    def samples(self) -> torch.Tensor:
        """A tensor as long as the input's batch."""
        return self.control.cond_hint_original


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


Ranges = Sequence[tuple[float, float]]
"""Shares of sampling from and to which each entry of a CONDITIONING is active. None: all of it."""

Effect = TextEffect | AddedEffect | ControlEffect | ImagePromptEffect | EmbeddedEffect


@dataclass(frozen=True)
class HostModality:
    """Self-contained: everything a guider needs to build the rows that see this input."""

    modality: Modality
    effect: Effect = field(repr=False)
    ranges: Ranges = ()

    def renamed(self, name: str) -> "HostModality":
        return replace(self, modality=replace(self.modality, name=name))


Modalities = tuple[HostModality, ...]
"""What a wire of MMC_MODALITY carries: one input, or all that are chained, in their order."""


def on_wire(socket: str, wire: HostModality | Modalities | None) -> Modalities:
    """What a socket got. Other things come where the editor hands on something else for a node
    that is bypassed."""
    inputs = wire if isinstance(wire, tuple) else () if wire is None else (wire,)
    if strange := [type(m).__name__ for m in inputs if not isinstance(m, HostModality)]:
        raise InputError(
            f"{socket} got {strange[0]}: connect a modality node, such as Text Modality"
        )
    return inputs


def effect_of(present, absent=None) -> TextEffect | AddedEffect:
    """What a CONDITIONING is next to one without it.

    Equal tokens, or the same with more at their end: what was added. Other tokens: a prompt.
    absent None: nothing is known of the other side, so it is the same with zeros for tokens.
    """
    if not present:
        raise InputError(
            "the conditioning is empty: it has no entry; connect one that a text encoder made"
        )
    if absent is None:
        return TextEffect(present, _zeroed(present))
    if not absent:
        raise InputError("the absent conditioning is empty: leave it out, or connect another")
    if len(present) == len(absent) == 1:
        (tokens, options), (none, without) = present[0], absent[0]
        length = none.shape[1]
        added = {k: v for k, v in options.items() if not _same(v, without.get(k))}
        longer = tokens.shape[1] >= length and torch.equal(tokens[:, :length].cpu(), none.cpu())
        if longer and not added.keys() & {*PLACED, "hooks"}:
            rest = tokens[:, length:] if tokens.shape[1] > length else None
            if not added.keys() - set(RANGE) and rest is None:
                raise InputError(
                    "conditioning and absent are the same: connect to absent what it was before "
                    "the nodes that added something"
                )
            return AddedEffect(_without(_only_new(added, without), RANGE), rest)
    return TextEffect(present, [[t, _copied(o, present[0][1])] for t, o in absent])


def placement(conditioning) -> tuple[tuple[Any, ...], ...]:
    """Where and when each entry acts. One prompt for the whole picture, always: ((),)."""
    keys = (*PLACED, *RANGE, *CLIP_RANGE)
    return tuple(
        tuple((k, id(o[k]) if isinstance(o[k], torch.Tensor) else o[k]) for k in keys if k in o)
        for _, o in conditioning
    )


def ranges_of(conditioning) -> Ranges:
    """When each entry is active; nothing where one always is."""
    ranges = [(_share(o, "start", 0.0), _share(o, "end", 1.0)) for _, o in conditioning]
    return () if (0.0, 1.0) in ranges else ranges


def parts_of(ranges: Ranges) -> tuple[Window, ...]:
    """Ranges that meet, or nearly so, as one."""
    parts: list[Window] = []
    for start, end in sorted((start, end) for start, end in ranges if start < end):
        if parts and start <= parts[-1].end + NEARLY:
            parts[-1] = Window(parts[-1].start, max(end, parts[-1].end))
        else:
            parts.append(Window(start, end))
    return tuple(parts) if ranges else (Window(),)


def _share(options, end: str, default: float) -> float:
    own = options.get(f"{end}_percent", default)
    clip = options.get(f"clip_{end}_percent", default)
    chosen = max(own, clip) if end == "start" else min(own, clip)
    return min(1.0, max(0.0, float(chosen)))


def _zeroed(conditioning):
    out = []
    for tokens, options in conditioning[:1]:
        kept = _without(options, (*ADDED, *PLACED, *RANGE, "hooks"))
        if isinstance(kept.get("pooled_output"), torch.Tensor):
            kept["pooled_output"] = torch.zeros_like(kept["pooled_output"])
        out.append([torch.zeros_like(tokens), kept])
    return out


def _copied(options, of):
    """Options of the other side, with what the host itself gives it of the prompt's: boxes, and a
    ControlNet of the node that applies to both. A prompt's ranges are not its."""
    out = _without(options, RANGE)
    if of.get("gligen") is not None:
        out.setdefault("gligen", of["gligen"])
    if of.get("control") is not None and of.get("control_apply_to_uncond"):
        out.setdefault("control", of["control"])
    return out


def _without(options, keys):
    return {k: v for k, v in options.items() if k not in keys}


def _only_new(added, without):
    """Of a list that has grown, what it has grown by."""
    out = {}
    for key, value in added.items():
        before = without.get(key)
        if isinstance(value, list) and isinstance(before, list):
            value = value[len(before) :]
        out[key] = value
    return out


def _same(one, other) -> bool:
    if one is other:
        return True
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.shape == other.shape and torch.equal(one.cpu(), other.cpu())
    if type(one) is not type(other) or not isinstance(one, str | int | float | bool | tuple):
        return False
    return one == other


def _longer_mask(options, more: int):
    """Options whose attention mask, where there is one, lets the added tokens be heard."""
    mask = options.get("attention_mask")
    if not isinstance(mask, torch.Tensor):
        return options
    heard = torch.ones((*mask.shape[:-1], more), dtype=mask.dtype, device=mask.device)
    return {**options, "attention_mask": torch.cat([mask, heard], -1)}
