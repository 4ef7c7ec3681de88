"""CONDITIONING for each row: its text, what native nodes added, and the embedded model's inputs."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import comfy.conds
import comfy.hooks
import torch

from ...mm_core.embedded.conditions import row_inputs
from ...mm_core.errors import InputError
from ...mm_core.types import Row
from .control import Asked
from .effects import (
    AddedEffect,
    ControlEffect,
    EmbeddedEffect,
    HostModality,
    TextEffect,
    placement,
)
from .ip_adapter.carry import tags
from .ip_adapter.prompt import Frame, ImagePromptEffect

SIDES = {True: "positive", False: "negative"}


@dataclass(frozen=True)
class Inputs:
    """All modalities of a guider, by what they do."""

    texts: Mapping[str, TextEffect]
    added: Mapping[str, AddedEffect]
    controls: Mapping[str, ControlEffect]
    prompts: Mapping[str, ImagePromptEffect]
    embedded: Mapping[str, EmbeddedEffect]
    frame: Frame

    @classmethod
    def of(cls, modalities: Sequence[HostModality]) -> "Inputs":
        def chosen(kind):
            return {m.modality.name: m.effect for m in modalities if isinstance(m.effect, kind)}

        # A prompt that never acts changes nothing, not even the weights that FaceID files add to.
        modalities = [
            m for m in modalities if m.modality.ever or not isinstance(m.effect, ImagePromptEffect)
        ]

        kinds = (TextEffect, AddedEffect, ControlEffect, ImagePromptEffect, EmbeddedEffect)
        return cls(*(chosen(kind) for kind in kinds), Frame())

    @property
    def batches(self) -> dict[str, torch.Tensor]:
        """A tensor as long as its batch, for each input that may have one."""
        return {n: e.samples for n, e in self._pictured.items()}

    @property
    def _pictured(self):
        return {**self.controls, **self.prompts, **self.embedded}

    @property
    def control_chains(self) -> dict[Hashable, Any]:
        """Every ControlNet of any row, by a key of its own."""
        out: dict[Hashable, Any] = {name: e.control for name, e in self.controls.items()}
        for effect in self.added.values():
            out |= _carried([[None, effect.options]])
        for effect in self.texts.values():
            out |= _carried([*effect.present, *effect.absent])
        return out


def row_conditioning(row: Row, inputs: Inputs):
    """CONDITIONING, and what each of its entries asks of ControlNets."""
    out = _text(row, inputs)
    for name, effect in inputs.added.items():
        if row.strength(name):
            out = effect.onto(out)
    if inputs.prompts:
        told = {}
        for name, prompt in inputs.prompts.items():
            mask = prompt.mask_cond(inputs.frame)
            each = len(prompt.samples)
            told |= tags(name, row.strength(name), prompt.absent is not None, mask, each)
        out = _with_conds(out, told)
    if inputs.embedded:
        out = _with_embedded(out, row, inputs.embedded)
    side = SIDES[has_prompt(row, inputs) if inputs.texts else bool(row.names)]
    return [
        _entry(tokens, options, side, row, k, inputs) for k, (tokens, options) in enumerate(out)
    ]


def has_prompt(row: Row, inputs: Inputs) -> bool:
    """Whether a row sees any prompt."""
    return any(row.strength(name) for name in inputs.texts)


def main_side(row: Row, inputs: Inputs) -> bool:
    """Whether a row is on the side of the main prompt, the first, rather than on the other."""
    if not inputs.texts:
        return bool(row.names)
    return bool(row.strength(next(iter(inputs.texts))))


def _entry(tokens, options, side: str, row: Row, k: int, inputs: Inputs):
    gains: dict[Hashable, float] = dict.fromkeys(_carried([[tokens, options]]), 1.0)
    gains |= {n: row.strength(n) for n in inputs.controls if row.strength(n)}
    kept = {n: v for n, v in options.items() if n not in ("control", "control_apply_to_uncond")}
    heard = [(n, row.strength(n)) for n in (*inputs.texts, *inputs.added) if row.strength(n)]
    context = (tuple(heard), k)
    return [tokens, {"prompt_type": side, **kept}], Asked(gains, context)


def _carried(conditioning) -> dict[Hashable, Any]:
    controls = [options["control"] for _, options in conditioning if "control" in options]
    return {id(control): control for control in controls}


def _with_embedded(conditioning, row: Row, embedded: Mapping[str, EmbeddedEffect]):
    encoded = {name: effect.encoded for name, effect in embedded.items()}
    here = Row.of({name: row.strength(name) for name in row.names if name in encoded})
    extra = row_inputs(here, encoded, conditioning[0][0])
    conds = {
        name: comfy.conds.CONDRegular(value) for name, value in extra.items() if name != "context"
    }
    return _with_conds(conditioning, conds)


def _with_conds(conditioning, conds):
    """CONDITIONING that carries more for the network. Every row gets the same names, so that rows
    share a call."""
    return [
        [tokens, {**options, "model_conds": {**options.get("model_conds", {}), **conds}}]
        for tokens, options in conditioning
    ]


def _text(row: Row, inputs: Inputs):
    texts = inputs.texts
    seen = {n: t.at(s) for n, t in texts.items() if (s := row.strength(n))}
    out = _joined(seen) if seen else _nothing(inputs)
    # The host gives every row an entry for each area of any other, with that one's options: ours
    # are there already.
    unseen = [entry for n, t in texts.items() if n not in seen for entry in t.present]
    return list(out) + [_moved(out[0], entry) for entry in unseen if "area" in entry[1]]


def _nothing(inputs: Inputs):
    """CONDITIONING of a row without a prompt."""
    if inputs.texts:
        return next(iter(inputs.texts.values())).absent
    if inputs.embedded:
        return next(iter(inputs.embedded.values())).base
    raise InputError(
        "there is no prompt: connect a Text Modality too; its text may be empty, its weight 1"
    )


def _joined(seen: Mapping[str, Any]):
    """Several prompts side by side, as ConditioningConcat has them.

    Where one has areas, masks, ranges or several entries, the others stand beside each of these;
    several must agree on them.
    """
    placed = {name: placement(entries) for name, entries in seen.items()}
    leads = [name for name, where in placed.items() if where != ((),)]
    for other in leads[1:]:
        if placed[other] != placed[leads[0]]:
            raise InputError(
                f"{leads[0]} and {other} both have areas, masks, ranges or several entries, and "
                "not the same: combine them with ConditioningCombine and connect that to one node"
            )
    lead = leads[0] if leads else next(iter(seen))
    return [
        _side_by_side([e[k] if n in leads else e[0] for n, e in seen.items()], options)
        for k, (_, options) in enumerate(seen[lead])
    ]


def _side_by_side(entries, options):
    """One entry of all; options are those given, but for masks and hooks."""
    if len(entries) == 1:
        return entries[0]
    merged = dict(options)
    groups = [o["hooks"] for _, o in entries if o.get("hooks") is not None]
    if groups:
        merged["hooks"] = comfy.hooks.HookGroup.combine_all_hooks(list(dict.fromkeys(groups)))
    if isinstance(mask := options.get("attention_mask"), torch.Tensor):
        merged["attention_mask"] = torch.cat([_mask(*e, mask) for e in entries], -1)
    return [torch.cat([tokens for tokens, _ in entries], 1), merged]


def _mask(tokens, options, like):
    own = options.get("attention_mask")
    if isinstance(own, torch.Tensor):
        return own
    return torch.ones(tokens.shape[:2], dtype=like.dtype, device=like.device)


def _moved(entry, area):
    """An entry's text in the place of another entry."""
    tokens, options = entry
    return [tokens, {**area[1], **{k: v for k, v in options.items() if k == "pooled_output"}}]
