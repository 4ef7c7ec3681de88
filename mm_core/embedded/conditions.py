"""Encoded inputs, and what the denoiser gets of them in each row.

Absent means, by modality: text, the null tokens (the empty prompt, or a negative one); style and
audio, gain 0; depth, pose and segmentation, nothing added. All but the first are exact no-ops.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from ..branches.shapes import blend, repeated, to_batch
from ..errors import InputError
from ..types import Float, NullTokens, Row, Tensor, Tokens

Stream = Literal["style", "audio"]


@dataclass(frozen=True)
class EncodedText:
    """Tokens of a prompt and of its absence, (b or 1, 24, 128) each."""

    tokens: Tokens
    null: NullTokens


@dataclass(frozen=True)
class EncodedStream:
    """Tokens of a style picture or a sound. present: 0 for samples that have none."""

    stream: Stream
    tokens: Tokens
    present: Float[Tensor, " b"] | None = None


@dataclass(frozen=True)
class EncodedMap:
    """What a depth map, skeleton or segmentation adds at 16 x 16 and at 8 x 8."""

    fine: Float[Tensor, "b c h w"]
    coarse: Float[Tensor, "b d i j"]


Encoded = EncodedText | EncodedStream | EncodedMap
RowInputs = dict[str, Tensor]
"""Keyword arguments of Denoiser.forward, the same names in every row of a run."""


def row_inputs(
    row: Row, encoded: Mapping[str, Encoded], null_text: NullTokens | None = None
) -> RowInputs:
    """What the network is given in one row. Rows of one run have equal names and shapes.

    null_text: tokens for "no text" where no text modality brings its own.
    """
    unknown = [name for name in row.names if name not in encoded]
    if unknown:
        raise InputError(f"no input is connected for {unknown}; connected are {sorted(encoded)}")
    return {
        "context": _context(row, encoded, null_text),
        **_stream("style", row, encoded),
        **_stream("audio", row, encoded),
        **_residuals(row, encoded),
    }


def stack_rows(rows: Sequence[RowInputs], batch: int) -> RowInputs:
    """Row inputs one after another, each repeated to the batch: (rows * batch, ...)."""
    return {name: torch.cat([to_batch(row[name], batch, name) for row in rows]) for name in rows[0]}


def _context(row: Row, encoded: Mapping[str, Encoded], null_text: NullTokens | None) -> Tokens:
    texts = {name: e for name, e in encoded.items() if isinstance(e, EncodedText)}
    if not texts:
        if null_text is None:
            raise InputError("there is no text: give a prompt, which may be empty")
        return null_text
    # Several prompts stand side by side; a row repeats what it sees to keep the length equal,
    # which changes nothing, since attention averages over what it hears.
    seen = []
    for name, text in texts.items():
        if strength := row.strength(name):
            seen.append(blend(text.null, text.tokens, strength))
    if not seen:
        seen = [next(iter(texts.values())).null]
    return repeated(seen, len(texts))


def _stream(stream: Stream, row: Row, encoded: Mapping[str, Encoded]) -> RowInputs:
    members = {
        name: e
        for name, e in encoded.items()
        if isinstance(e, EncodedStream) and e.stream == stream
    }
    if not members:
        return {}
    seen = [name for name in members if row.strength(name) != 0]
    tokens = repeated([members[n].tokens for n in seen or list(members)[:1]], len(members))
    gain = torch.zeros(1)
    if seen:
        strengths = [row.strength(n) * _presence(members[n]) for n in seen]
        gain = torch.stack(torch.broadcast_tensors(*strengths)).mean(0)
    return {f"{stream}_tokens": tokens, f"{stream}_gain": gain[:, None, None, None].to(tokens)}


def _presence(member: EncodedStream) -> Tensor:
    return torch.ones(1) if member.present is None else member.present.float()


def _residuals(row: Row, encoded: Mapping[str, Encoded]) -> RowInputs:
    maps = {name: e for name, e in encoded.items() if isinstance(e, EncodedMap)}
    if not maps:
        return {}
    out: RowInputs = {}
    for level in ("fine", "coarse"):
        parts = [row.strength(name) * getattr(e, level) for name, e in maps.items()]
        out[f"{level}_residual"] = sum(parts[1:], parts[0])
    return out
