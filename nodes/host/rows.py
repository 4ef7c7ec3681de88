"""CONDITIONING for each row: its text, what native nodes added, and the embedded model's inputs."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import comfy.conds
import torch

from ...mm_core.embedded.conditions import row_inputs
from ...mm_core.errors import InputError
from ...mm_core.types import Row
from .beside import nothing_of, side_by_side
from .control import Asked
from .effects import AddedEffect, ControlEffect, EmbeddedEffect, HostModality, TextEffect
from .ip_adapter.carry import tags
from .ip_adapter.prompt import Frame, ImagePromptEffect
from .part import (
    Part,
    active,
    always,
    as_the_host_pairs,
    needs_size,
    parts_of_conditioning,
    with_areas_in_cells,
    with_the_areas_of,
)

SIDES = {True: "positive", False: "negative"}


@dataclass(frozen=True)
class Inputs:
    """All modalities of a guider, by what they do.

    size: rows and columns, and frames before them, of the latent that is sampled, once it is known.
    """

    texts: Mapping[str, TextEffect]
    added: Mapping[str, AddedEffect]
    controls: Mapping[str, ControlEffect]
    prompts: Mapping[str, ImagePromptEffect]
    embedded: Mapping[str, EmbeddedEffect]
    frame: Frame
    size: tuple[int, ...] | None = None

    @classmethod
    def of(cls, modalities: Sequence[HostModality]) -> "Inputs":
        def chosen(kind):
            return {m.modality.name: m.effect for m in modalities if isinstance(m.effect, kind)}

        # A prompt that never acts changes nothing, not even the weights that FaceID files add to,
        # nor what stands for no prompt, unless there is no other.
        acting = [m for m in modalities if m.modality.ever]
        needed = any(isinstance(m.effect, TextEffect) for m in acting)
        idle = (ImagePromptEffect, TextEffect) if needed else (ImagePromptEffect,)
        modalities = [m for m in modalities if m.modality.ever or not isinstance(m.effect, idle)]

        kinds = (TextEffect, AddedEffect, ControlEffect, ImagePromptEffect, EmbeddedEffect)
        made = cls(*(chosen(kind) for kind in kinds), Frame())
        if len(modalities) > 1:
            _refuse_gaps(made)
        return made

    def sized(self, size: Sequence[int]) -> "Inputs":
        """These for a latent of that size, in whose cells areas are then counted."""
        texts = {
            name: replace(
                effect,
                present=with_areas_in_cells(effect.present, size),
                absent=with_areas_in_cells(effect.absent, size),
            )
            for name, effect in self.texts.items()
        }
        return replace(self, texts=texts, size=tuple(size))

    @property
    def need_size(self) -> bool:
        """Whether rows depend on the size of the latent."""
        return any(needs_size([*e.present, *e.absent]) for e in self.texts.values())

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
        for added in self.added.values():
            if added.control is not None:
                out[id(added.control)] = added.control
        for effect in self.texts.values():
            for part in parts_of_conditioning([*effect.present, *effect.absent]):
                out |= part.controls
        return out


def row_conditioning(row: Row, inputs: Inputs):
    """CONDITIONING, and what each of its entries asks of ControlNets."""
    parts = _text(row, inputs)
    for name, effect in inputs.added.items():
        if row.strength(name):
            parts = effect.onto(parts, name)
    if inputs.prompts:
        told = {}
        for name, prompt in inputs.prompts.items():
            mask = prompt.mask_cond(inputs.frame)
            each = len(prompt.samples)
            told |= tags(name, row.strength(name), prompt.absent is not None, mask, each)
        parts = _with_conds(parts, told)
    if inputs.embedded:
        parts = _with_embedded(parts, row, inputs.embedded)
    side = SIDES[has_prompt(row, inputs) if inputs.texts else bool(row.names)]
    return [_entry(part, side, row, k, inputs) for k, part in enumerate(parts)]


def has_prompt(row: Row, inputs: Inputs) -> bool:
    """Whether a row sees any prompt."""
    return any(row.strength(name) for name in inputs.texts)


def main_side(row: Row, inputs: Inputs) -> bool:
    """Whether a row is on the side of the main prompt, the first, rather than on the other."""
    if not inputs.texts:
        return bool(row.names)
    return bool(row.strength(next(iter(inputs.texts))))


def _entry(part: Part, side: str, row: Row, k: int, inputs: Inputs):
    gains: dict[Hashable, float] = dict.fromkeys(part.controls, 1.0)
    gains |= {n: row.strength(n) for n in inputs.controls if row.strength(n)}
    kept = {n: v for n, v in part.options.items() if n != "control_apply_to_uncond"}
    heard = [(n, row.strength(n)) for n in (*inputs.texts, *inputs.added) if row.strength(n)]
    context = (tuple(heard), k)
    return [part.tokens, {"prompt_type": side, **kept}], Asked(gains, context)


def _with_embedded(parts: Sequence[Part], row: Row, embedded: Mapping[str, EmbeddedEffect]):
    encoded = {name: effect.encoded for name, effect in embedded.items()}
    here = Row.of({name: row.strength(name) for name in row.names if name in encoded})
    extra = row_inputs(here, encoded, parts[0].tokens)
    conds = {
        name: comfy.conds.CONDRegular(value) for name, value in extra.items() if name != "context"
    }
    return _with_conds(parts, conds)


def _with_conds(parts: Sequence[Part], conds) -> list[Part]:
    """Parts that carry more for the network. Every row gets the same names, so that rows share a
    call."""
    return [
        replace(
            part,
            options={
                **part.options, "model_conds": {**part.options.get("model_conds", {}), **conds}
            },
        )
        for part in parts
    ]  # fmt: skip


def _text(row: Row, inputs: Inputs) -> list[Part]:
    """What a row reads: one prompt as KSampler has it; several, each with what it carries."""
    texts, sized = inputs.texts, inputs.size is not None
    seen = {
        n: parts_of_conditioning(t.at(s), n) for n, t in texts.items() if (s := row.strength(n))
    }
    if not texts:
        return parts_of_conditioning(_base(inputs))
    if len(texts) == 1:
        ((name, effect),) = texts.items()
        positive = seen.get(name) or parts_of_conditioning(effect.present, name)
        negative = parts_of_conditioning(effect.absent, name)
        sides = as_the_host_pairs(positive, negative, sized)
        return sides[0] if seen else sides[1]
    nothing = _nothing(inputs)
    parts = side_by_side(seen, nothing) if seen else nothing
    if not sized:
        return parts
    unseen = [
        part
        for name, effect in texts.items()
        if name not in seen
        for part in parts_of_conditioning(effect.present, name)
    ]
    return with_the_areas_of(parts, [*unseen, *(nothing if seen else ())])


def _base(inputs: Inputs):
    """CONDITIONING of graphs without a prompt."""
    if inputs.embedded:
        return next(iter(inputs.embedded.values())).base
    raise InputError(
        "there is no prompt: connect a Text Modality too; its text may be empty, its weight 1"
    )


def _nothing(inputs: Inputs) -> list[Part]:
    """What stands for no prompt at all, of what is known best."""
    best = max(effect.known for effect in inputs.texts.values())
    return nothing_of(
        {
            name: parts_of_conditioning(effect.absent, name)
            for name, effect in inputs.texts.items()
            if effect.known == best
        }
    )


def _refuse_gaps(inputs: Inputs) -> None:
    """InputError where at some time nothing stands for no prompt: the host would predict zeros."""
    if not inputs.texts:
        return
    absents = [e.absent for e in inputs.texts.values()]
    if len(absents) > 1:
        absents = [[[p.tokens, p.options] for p in _nothing(inputs)]]
    if not always([active(options) for _, options in absents[0]]):
        raise InputError(
            "what the prompt pushes away from (absent) is not active at all times of sampling, "
            "and other inputs need it: give it an entry for the rest, such as the empty prompt "
            "through ConditioningSetTimestepRange and ConditioningCombine"
        )
