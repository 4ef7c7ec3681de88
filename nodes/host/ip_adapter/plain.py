"""Image prompts for the host's own samplers: a patched MODEL and CONDITIONING that carries them."""

from itertools import count

from ....mm_core.errors import InputError
from .carry import tags
from .prompt import Frame, ImagePromptEffect, with_banks

_applied = count(1)


def apply_prompt(model, positive, negative, modality):
    """MODEL, positive and negative. Several may follow each other."""
    effect = modality.effect
    if not isinstance(effect, ImagePromptEffect):
        raise InputError(
            f"{modality.modality.name} is no image prompt: connect a Style Image Modality that has "
            "an ip_adapter; other inputs need Multimodal KSampler or Multimodal Guider"
        )
    name = f"applied {next(_applied)}"  # two in one graph must not be taken for each other
    patched = with_banks(model, {name: effect.bank(model)}, {name: effect})
    mask = effect.mask_cond(Frame())

    def carrying(conditioning, strength):
        told = tags(name, strength, effect.absent is not None, mask)
        return [
            [tokens, {**options, "model_conds": {**options.get("model_conds", {}), **told}}]
            for tokens, options in conditioning
        ]

    return patched, carrying(positive, 1.0), carrying(negative, 0.0)
