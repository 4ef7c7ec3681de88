"""What a fusion block is and what it did, in words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from ..types import Float, ModalityEmbedding, Tensor
from ..weights.header import Header
from .block import Fused, FusionBlock
from .kinds import kind_of

NEW = {
    "concat": "plain concat",
    "gated": "plain average",
    "mutual": "plain concat",
    "flamingo": "the base alone",
    "film": "the base alone",
    "adaln": "the base alone",
    "resampler": "the mean token of the inputs, many times",
    "joint": "the direction of each input's mean token",
    "congruence": "plain concat",
}
"""What a block that nobody trained gives, for inputs of one width."""

MOST_SAMPLES = 4  # told one by one


def about_block(block: FusionBlock, header: Header) -> str:
    """Kind, inputs, settings, and what its file says of its training. Several lines."""
    kind, config = kind_of(block), block.config
    inputs = ", ".join(
        f"{n} ({config.widths[n]} wide{', the base' if n == config.base else ''})"
        for n in config.names
    )
    settings = {k: v for k, v in asdict(config).items() if k not in ("widths", "base")}
    lines = [f"{kind}, for {inputs}"]
    if settings:
        lines.append("settings: " + _table(settings))
    if not is_trained(header):
        lines.append(untrained(kind))
    if header.recipe:
        lines.append("trained: " + _table(header.recipe))
    if header.figures:
        lines.append("measured: " + _table(header.figures))
    return "\n".join(lines)


def is_trained(header: Header) -> bool:
    """Whether a file tells of any training."""
    return bool(header.recipe or header.figures)


def untrained(kind: str) -> str:
    """What a block without trained weights is, by the name of its kind."""
    return f"no trained weights: its file tells of no training, and a new block is {NEW[kind]}"


def about_fused(parts: Sequence[ModalityEmbedding], how: str, fused: Fused) -> str:
    """What went in, what came out, and what was measured between. Several lines.

    how: name of the mode, or of the block's kind.
    """
    out = fused.embedding.tokens.shape
    lines = [
        f"{how}: " + " + ".join(_sized(p) for p in parts),
        f"gives {out[1]} tokens, {out[2]} wide" + (f", for {out[0]} samples" * (out[0] > 1)),
    ]
    if fused.shares:
        lines.append("heard: " + _measured(fused.shares, lambda v: f"{v:.0%}"))
    if fused.agreement:
        lines.append("agreement, -1 to 1: " + _measured(fused.agreement, lambda v: f"{v:.2f}"))
    return "\n".join(lines)


def _sized(part: ModalityEmbedding) -> str:
    real = int(part.mask.sum(1).max())
    return f"{part.modality} ({real} tokens, {part.tokens.shape[-1]} wide)"


def _measured(said: Mapping[str, Float[Tensor, " b"]], form: Callable[[float], str]) -> str:
    def samples(values: Tensor) -> str:
        shown = [form(v) for v in values[:MOST_SAMPLES].tolist()]
        return " / ".join(shown) + (" / ..." if len(values) > MOST_SAMPLES else "")

    return ", ".join(f"{name} {samples(values)}" for name, values in said.items())


def _table(values: Mapping[str, object]) -> str:
    return ", ".join(f"{k} {v}" for k, v in values.items())
