"""Discounts what several inputs say alike, so that it is pushed once and not once for each."""

from collections.abc import Sequence

import torch

from ..types import Float, Latent, Tensor

RIDGE = 0.3


def discounts(pushes: Sequence[Latent], ridge: float = RIDGE) -> Float[Tensor, "b k"]:
    """What share of each of k pushes to keep, image by image: 1 where it is perpendicular to all
    others, 1 / k where all say the same (but for the ridge).

    u = clip((C + ridge I)^-1 (1 + ridge) 1, 0, 1), C the cosines between pushes; equation 16.
    Source: ridge regression of the summed push on the single ones, for this project.
    """
    flat = torch.stack([p.flatten(1).float() for p in pushes], 1)
    unit = flat / flat.norm(dim=2, keepdim=True).clamp(min=1e-12)
    cosines = unit @ unit.transpose(1, 2)
    eye = torch.eye(len(pushes), device=flat.device)
    # A push of nothing has no direction: its own cosine counts as 1, so that it disturbs no other.
    cosines = cosines * (1 - eye) + eye
    wanted = torch.full((len(flat), len(pushes), 1), 1 + ridge, device=flat.device)
    solved, _ = torch.linalg.solve_ex(cosines + ridge * eye, wanted)
    return solved[..., 0].clamp(0, 1)
