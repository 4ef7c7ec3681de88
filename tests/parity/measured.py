"""One comparison with a reference implementation, as numbers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """difference: the largest between our output and the reference's. effect: the largest that
    the adapter makes in the reference, so that a comparison of nothing shows."""

    difference: float
    effect: float


def measured(ours, reference, without):
    """Three outputs: ours, the reference's, and the reference's without the adapter."""
    return Measured((ours - reference).abs().max().item(), (reference - without).abs().max().item())
