"""The inputs of a fusion, brought together: one batch, padding silenced, every name known."""

from collections.abc import Mapping, Sequence

import torch

from ..errors import InputError
from ..types import Float, ModalityEmbedding, Tensor
from .config import FusionConfig

Parts = dict[str, ModalityEmbedding]


def together(embeddings: Sequence[ModalityEmbedding]) -> list[ModalityEmbedding]:
    """The same in one batch, and with zeros for padding, so that not even a NaN there is heard.

    Raises InputError if there are none, or if their batches do not fit.
    """
    if not embeddings:
        raise InputError("there is nothing to fuse; connect at least one embedding")
    batch = max(len(e.tokens) for e in embeddings)
    return [_silenced(_to_batch(e, batch)) for e in embeddings]


def by_modality(embeddings: Sequence[ModalityEmbedding], config: FusionConfig) -> Parts:
    """The inputs of a block by name, in the order of config.names, those of one name joined.

    An input that is not given is not in the table. Raises InputError for an unknown one, and for
    one of another width.
    """
    return grouped(checked(embeddings, config), config)


def grouped(embeddings: Sequence[ModalityEmbedding], config: FusionConfig) -> Parts:
    """Checked inputs by name, in the order of config.names, those of one name joined."""
    table = {n: [e for e in embeddings if e.modality == n] for n in config.names}
    return {n: side_by_side(same, n) for n, same in table.items() if same}


def checked(
    embeddings: Sequence[ModalityEmbedding], config: FusionConfig
) -> list[ModalityEmbedding]:
    """The inputs of a block together, in the order given, or InputError for one that it does not
    know."""
    for e in embeddings:
        if e.modality not in config.widths:
            raise InputError(
                f"the fusion block was not made for {e.modality!r}; it takes "
                f"{', '.join(config.names)}: disconnect it, or fit a block with it"
            )
        if e.tokens.shape[-1] != config.widths[e.modality]:
            raise InputError(
                f"{e.modality} has tokens of width {e.tokens.shape[-1]}; the fusion block was "
                f"made for {config.widths[e.modality]}: use the encoder it was fitted with"
            )
    return together(embeddings)


def side_by_side(parts: Sequence[ModalityEmbedding], name: str = "") -> ModalityEmbedding:
    """All tokens one after another. name: the names joined by + where none is given."""
    widths = {p.modality: p.tokens.shape[-1] for p in parts}
    if len(set(widths.values())) > 1:
        raise InputError(
            f"the tokens have different widths, {widths}; use encoders of one width, or a fitted "
            "fusion block"
        )
    return ModalityEmbedding(
        name or joined_name(parts),
        torch.cat([p.tokens for p in parts], 1),
        torch.cat([p.mask for p in parts], 1),
    )


def joined_name(parts: Sequence[ModalityEmbedding]) -> str:
    """What a fusion is called: each name once."""
    return "+".join(dict.fromkeys(p.modality for p in parts))


def with_stand_in(parts: Parts, base: str, stand_in: Float[Tensor, " d"]) -> ModalityEmbedding:
    """The base; in samples that have none, one token that stands in for it."""
    if base not in parts:
        tokens = next(iter(parts.values())).tokens
        row = stand_in.to(tokens).expand(len(tokens), 1, -1)
        return ModalityEmbedding(base, row, torch.ones_like(row[..., 0], dtype=torch.bool))
    given = parts[base]
    first = torch.arange(given.mask.shape[1], device=given.mask.device) == 0
    missing = ~given.mask.any(1, keepdim=True) & first
    tokens = torch.where(missing[..., None], stand_in.to(given.tokens), given.tokens)
    return ModalityEmbedding(base, tokens, given.mask | missing)


def present(parts: Mapping[str, ModalityEmbedding]) -> dict[str, Tensor]:
    """(b,) each: whether a sample has the input at all."""
    return {name: part.mask.any(1) for name, part in parts.items()}


def _to_batch(e: ModalityEmbedding, batch: int) -> ModalityEmbedding:
    if len(e.tokens) == batch:
        return e
    if len(e.tokens) != 1:
        raise InputError(
            f"{e.modality} has a batch of {len(e.tokens)} where another input has {batch}; "
            f"give one, or {batch}"
        )
    tokens, mask = e.tokens.expand(batch, -1, -1), e.mask.expand(batch, -1)
    return ModalityEmbedding(e.modality, tokens, mask)


def _silenced(e: ModalityEmbedding) -> ModalityEmbedding:
    return ModalityEmbedding(e.modality, e.tokens.masked_fill(~e.mask[..., None], 0), e.mask)
