"""Which modalities a training example has, so that every row guidance may ask for is trained."""

import torch

from ...embedded.model import MODALITIES
from ...types import Bool, Float, Tensor

TEXT = MODALITIES.index("text")
GEOMETRY = [MODALITIES.index("depth"), MODALITIES.index("segmentation")]
# What an example keeps: share of the batch.
NOTHING, EVERYTHING, ALL_BUT_ONE, ONE, TEXT_LED = 0.08, 0.18, 0.16, 0.20, 0.25  # rest: any subset
ONE_SHARES = torch.tensor([0.45, 0.13, 0.11, 0.09, 0.11, 0.11])  # in the order of MODALITIES


def structured(available: Bool[Tensor, "b m"], rng: torch.Generator) -> Bool[Tensor, "b m"]:
    """Named patterns in fixed shares. Text-led rows have no depth or segmentation: only there
    can the model learn where and what from the words alone."""
    n, m = available.shape
    draw = torch.rand(n, generator=rng)
    any_subset = torch.rand(n, m, generator=rng) < 0.5
    one = _one_of(torch.multinomial(ONE_SHARES, n, True, generator=rng), m)
    all_but_one = ~_one_of(torch.randint(0, m, (n,), generator=rng), m)
    led = torch.rand(n, m, generator=rng) < 0.5
    led[:, TEXT] = True
    led[:, GEOMETRY] = False
    keep = torch.zeros(n, m, dtype=torch.bool)
    edge = 0.0
    patterns = (
        (NOTHING, keep.clone()),
        (EVERYTHING, torch.ones_like(keep)),
        (ALL_BUT_ONE, all_but_one),
        (ONE, one),
        (TEXT_LED, led),
        (1.0, any_subset),
    )
    for share, pattern in patterns:
        chosen = (draw >= edge) & (draw < edge + share)
        keep = torch.where(chosen[:, None], pattern, keep)
        edge += share
    return keep & available


def led_by_words(keep: Bool[Tensor, "b m"]) -> Bool[Tensor, " b"]:
    """Which examples have words, but no map that says where things are."""
    return keep[:, TEXT] & ~keep[:, GEOMETRY].any(1)


def independent(
    available: Bool[Tensor, "b m"], rate: float, rng: torch.Generator
) -> Bool[Tensor, "b m"]:
    """Every modality dropped on its own with the same probability."""
    return available & (torch.rand(available.shape, generator=rng) >= rate)


def _one_of(index: Tensor, count: int) -> Bool[Tensor, "b m"]:
    return torch.nn.functional.one_hot(index, count).bool()


def gain(flag: Bool[Tensor, " b"]) -> Float[Tensor, "b 1 1 1"]:
    """Presence as the gain that the denoiser multiplies with."""
    return flag.float()[:, None, None, None]
