"""Embeddings and a prompt's CONDITIONING -> one CONDITIONING, one embedding, and what was done."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ....mm_core.errors import InputError
from ....mm_core.fusion.about import about_fused, untrained
from ....mm_core.fusion.block import Fused
from ....mm_core.fusion.modes import MODES
from ....mm_core.fusion.padding import attention_mask, without_padding
from ....mm_core.types import ModalityEmbedding
from ..encoders.embedding import HostEmbedding, of_entry
from ..patcher import home, ready
from .files import HostFusion

OWN = ("attention_mask", "pooled_output")  # of an entry, made anew here


def fuse(
    embeddings: Mapping[str, HostEmbedding] | None,
    mode: str,
    fusion: HostFusion | None = None,
    conditioning: Any = None,
) -> tuple[Any, HostEmbedding, str]:
    """fusion: a block with weights, in place of mode. conditioning: a prompt, fused first.

    A prompt of several entries stays one of as many; the embedding is that of the first. Raises
    InputError for inputs that do not fit each other, or the block.
    """
    given = [e for e in (embeddings or {}).values() if e is not None]
    base = fusion.config.base if fusion else "text"
    prompts = [[of_entry(entry, base)] for entry in conditioning or ()]
    if conditioning is not None and not prompts:
        raise InputError("the conditioning input is empty: leave it out, or connect another")
    if not given and not prompts:
        raise InputError("no embedding is connected; connect at least one, from an Encode node")
    made = [_fused([*prompt, *given], mode, fusion) for prompt in prompts or [[]]]
    return [_entry(e) for e, _ in made], made[0][0], made[0][1]


def _fused(
    given: Sequence[HostEmbedding], mode: str, fusion: HostFusion | None
) -> tuple[HostEmbedding, str]:
    in_time = fusion is not None and hasattr(fusion.config, "frames")
    parts = [part for e in given for part in e.parts(in_time)]
    out = _run(parts, fusion) if fusion else MODES[mode](parts)
    pooled = next((e.pooled for e in given if e.pooled is not None), None)
    options = next((e.options for e in given if e.options), {})
    said = about_fused(parts, fusion.kind if fusion else mode, out)
    if fusion and not fusion.trained:
        said += "\n" + untrained(fusion.kind)
    if pooled is None:
        said += "\nno pooled output: SDXL and other models that need one take it from a text"
    return HostEmbedding(out.embedding, pooled=pooled, options=options), said


def _run(parts: Sequence[ModalityEmbedding], fusion: HostFusion) -> Fused:
    block, device = ready(fusion.patcher)
    there = [_moved(p, device) for p in parts]
    out = block(there)
    return Fused(
        _moved(out.embedding, home()),
        {name: x.to(home()) for name, x in out.shares.items()},
        {name: x.to(home()) for name, x in out.agreement.items()},
    )


def _moved(e: ModalityEmbedding, device) -> ModalityEmbedding:
    return ModalityEmbedding(e.modality, e.tokens.to(device, torch.float32), e.mask.to(device))


def _entry(made: HostEmbedding):
    """An entry for any sampler. A mask is kept where the prompt's model reads one; elsewhere only
    where samples differ in length."""
    options = {k: v for k, v in made.options.items() if k not in OWN}
    said = made.needed()
    if not isinstance(made.options.get("attention_mask"), torch.Tensor):
        said = without_padding(said)
    mask = attention_mask(said)
    if mask is not None:
        options["attention_mask"] = mask
    if made.pooled is not None:
        options["pooled_output"] = made.pooled
    return [said.tokens, options]
