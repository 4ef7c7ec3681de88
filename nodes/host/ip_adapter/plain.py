"""Image prompts for the host's own samplers: a patched MODEL and CONDITIONING that carries them."""

from itertools import count

import comfy.patcher_extension

from ....mm_core.errors import InputError
from ..effects import on_wire
from .carry import tags
from .prompt import Frame, ImagePromptEffect, with_banks

CALL = comfy.patcher_extension.WrappersMP.CALC_COND_BATCH
RUN = comfy.patcher_extension.WrappersMP.OUTER_SAMPLE
_applied = count(1)


def apply_prompt(model, positive, negative, wire):
    """MODEL, positive and negative. Several may follow each other."""
    inputs = on_wire("modality", wire)
    if len(inputs) != 1:
        names = ", ".join(m.modality.name for m in inputs) or "none"
        raise InputError(
            f"modality has {len(inputs)} inputs on its wire ({names}) where one is needed: "
            "connect nothing to the modalities of that Style Image Modality, and give each "
            "picture an Apply Image Prompt of its own"
        )
    (modality,) = inputs
    effect = modality.effect
    if not isinstance(effect, ImagePromptEffect):
        raise InputError(
            f"{modality.modality.name} is no image prompt: connect a Style Image Modality that has "
            "an ip_adapter; other inputs need Multimodal KSampler or Multimodal Guider"
        )
    name = f"applied {next(_applied)}"  # two in one graph must not be taken for each other
    patched = with_banks(model, {name: effect.bank(model)}, {name: effect})
    frame = Frame()
    mask = effect.mask_cond(frame)
    patched.add_wrapper_with_key(CALL, name, _Framed(frame))
    patched.add_wrapper_with_key(RUN, name, _Checked(effect))

    def carrying(conditioning, strength):
        told = tags(name, strength, effect.absent is not None, mask, len(effect.samples))
        return [
            [tokens, {**options, "model_conds": {**options.get("model_conds", {}), **told}}]
            for tokens, options in conditioning
        ]

    return patched, carrying(positive, 1.0), carrying(negative, 0.0)


class _Checked:
    """An OUTER_SAMPLE wrapper: there the batch is whole."""

    def __init__(self, effect: ImagePromptEffect):
        self.effect = effect

    def __call__(self, executor, noise, *args, **kwargs):
        self.effect.check_batch(len(noise))
        return executor(noise, *args, **kwargs)


class _Framed:
    """A CALC_COND_BATCH wrapper: after it, rows are cut to their areas."""

    def __init__(self, frame: Frame):
        self.frame = frame

    def __call__(self, executor, model, conds, x, timestep, options):
        self.frame.size = tuple(x.shape[-2:])
        return executor(model, conds, x, timestep, options)
