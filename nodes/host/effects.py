"""What a modality does to the rows that see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

import nodes as host_nodes  # the host's own

from ...mm_core.branches.shapes import blend
from ...mm_core.embedded.conditions import Encoded, EncodedMap
from ...mm_core.errors import InputError
from ...mm_core.types import Modality
from .beside import BOXES, added_to
from .ip_adapter.prompt import ImagePromptEffect
from .masks import GRID, MASK, as_long, joined_masks, mask_of_added
from .part import CARRIED, CLIP_RANGE, PLACED, RANGE, Part, Ranges, without
from .same import is_setting, same

OF_TEXT = (
    "attention_mask", "attention_mask_mt5xl", "conditioning_byt5small", "conditioning_llama3",
    "conditioning_lyrics", "conditioning_mt5xl", "conditioning_scale", "pooled_output",
    "t5xxl_ids", "t5xxl_weights", "text_input_ids", "unprocessed_ltxav_embeds",
)  # fmt: skip
"""What text encoders themselves give beside tokens, other than settings. Whatever else a prompt
carries was added to it."""

ZEROS, EMPTY, NAMED = range(3)
"""How much is known of a prompt's absence: nothing, that it is the empty prompt, or what it is."""


@dataclass(frozen=True)
class TextEffect:
    """CONDITIONING with the prompt, and without it. known: how much that is known of the latter."""

    present: Any
    absent: Any
    known: int = NAMED

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
    """What native nodes added to a prompt's CONDITIONING: options, tokens at its end, ControlNets.

    before: the options that it was added to. length: how many tokens there were.
    """

    options: Mapping[str, Any]
    tokens: torch.Tensor | None = None
    before: Mapping[str, Any] = field(default_factory=dict)
    length: int = 0
    control: Any = None

    def onto(self, parts: Sequence[Part], name: str) -> list[Part]:
        """Parts of a row with what was added. Lists, such as reference latents, grow."""
        return [self._onto(part, name) for part in parts]

    def _onto(self, part: Part, name: str) -> Part:
        plain = without(self.options, (MASK, GRID))
        merged = added_to(part, plain, self.before, name)
        if self.control is not None:
            controls = {**merged.controls, id(self.control): self.control}
            merged = replace(merged, controls=controls)
        mask = self.options.get(MASK)
        if self.tokens is None and not isinstance(mask, torch.Tensor):
            return merged
        same_base = part.tokens.shape[1] == self.length and same(
            part.options.get(MASK), self.before.get(MASK)
        )
        if self.tokens is None and not same_base:
            raise InputError(
                f"{name} changes the attention mask of its own prompt, and the row has another "
                "text: connect the prompt that it was made for"
            )
        tokens = part.tokens
        if self.tokens is not None:
            tokens = torch.cat(as_long([tokens, self.tokens.to(tokens)]), 1)
        if isinstance(mask, torch.Tensor) and same_base:
            masks = {key: self.options[key] for key in (MASK, GRID) if key in self.options}
        else:
            added = {}
            if isinstance(mask, torch.Tensor):
                own = mask_of_added(mask, self.length)
                added = {MASK: own, GRID: self.options.get(GRID, self.before.get(GRID))}
            masks = joined_masks([part.tokens, self.tokens], [part.options, added])
        return replace(merged, tokens=tokens, options={**merged.options, **masks})


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
        return TextEffect(present, _zeroed(present), ZEROS)
    if not absent:
        raise InputError("the absent conditioning is empty: leave it out, or connect another")
    if len(present) == len(absent) == 1:
        (tokens, options), (none, without_it) = present[0], absent[0]
        length = none.shape[1]
        added = {k: v for k, v in options.items() if not same(v, without_it.get(k))}
        longer = tokens.shape[1] >= length and torch.equal(tokens[:, :length].cpu(), none.cpu())
        if longer and not added.keys() & {*PLACED, "hooks"}:
            rest = tokens[:, length:] if tokens.shape[1] > length else None
            if not added.keys() - set(RANGE) and rest is None:
                raise InputError(
                    "conditioning and absent are the same: connect to absent what it was before "
                    "the nodes that added something"
                )
            return _added(added, without_it, rest, length)
    return TextEffect(present, absent)


def _added(added, before, tokens, length: int) -> AddedEffect:
    """Of lists and boxes that have grown, and of a chain of ControlNets, what is new."""
    options = without(added, (*RANGE, "control", "control_apply_to_uncond"))
    for key, value in options.items():
        old = before.get(key)
        if isinstance(value, list) and isinstance(old, list):
            options[key] = value[len(old) :]
        elif key == BOXES and old is not None and same(value[:2], old[:2]):
            options[key] = (*value[:2], value[2][len(old[2]) :])
    control = _link(added.get("control"), before.get("control"))
    return AddedEffect(options, tokens, before, length, control)


def _link(control, before):
    """The ControlNets of a chain that come after another. Raises InputError where it is not one of
    the chain."""
    if control is None or before is None:
        return control
    if control.previous_controlnet is None:
        raise InputError(
            "conditioning has another ControlNet than absent: connect to absent what it was before "
            "the nodes that added something"
        )
    own = control.copy()
    if control.previous_controlnet is not before:
        own.set_previous_controlnet(_link(control.previous_controlnet, before))
    return own


def _zeroed(conditioning):
    """As ConditioningZeroOut makes it, of the first entry: the text encoder's own numbers, and
    settings, without what nodes added."""
    tokens, options = conditioning[0]
    kept = {
        key: value
        for key, value in options.items()
        if key in OF_TEXT or value is None or is_setting(value)
    }
    placed = (*PLACED, *RANGE, *CLIP_RANGE, *CARRIED)
    plain = [[tokens, without(kept, placed)]]
    return host_nodes.ConditioningZeroOut().zero_out(plain)[0]
