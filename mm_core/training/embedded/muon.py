"""Muon: momentum whose every matrix is made orthogonal before it is applied, beside AdamW.

Small singular directions of a gradient, which rare words and fine textures live in, are stepped
along as far as large ones, so a small network learns more from each example than under AdamW.
Source: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon; the scale that lets it share
AdamW's learning rate: Liu et al. 2025, arXiv 2502.16982, section 2.2.
"""

from collections.abc import Iterable

import torch
from torch import nn

from ...types import Float, Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic, as published
SCALE = 0.2  # the usual root mean square of an AdamW update


@torch.no_grad()
def orthogonal(batch: Float[Tensor, "k m n"], steps: int = 5) -> Float[Tensor, "k m n"]:
    """About U V^T of each matrix U S V^T: singular values near 1 (0.7 to 1.2). Zero stays zero."""
    a, b, c = COEFFICIENTS
    x = batch.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    x = x.mT if tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return (x.mT if tall else x).to(batch.dtype)


def is_matrix(name: str, parameter: Tensor) -> bool:
    """Whether Muon updates it: weights of hidden layers. Tables, biases and ends go to AdamW."""
    ends = ("embedding", "position", "enter.", "leave.", "place")
    return parameter.ndim >= 2 and not any(part in name for part in ends)


class Muon(torch.optim.Optimizer):
    """Muon for matrices (convolutions flattened to (out, in * k * k)), AdamW for the rest.

    Both take the group's "lr" and decoupled weight decay.
    """

    def __init__(
        self,
        named: Iterable[tuple[str, nn.Parameter]],
        lr: float,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.01,
    ):
        table = list(named)
        matrices = [p for n, p in table if is_matrix(n, p)]
        others = [p for n, p in table if not is_matrix(n, p)]
        defaults = {
            "lr": lr, "momentum": momentum, "betas": betas, "weight_decay": weight_decay
        }  # fmt: skip
        groups = [{"params": matrices, "muon": True}, {"params": others, "muon": False}]
        super().__init__([g for g in groups if g["params"]], defaults)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            given = [p for p in group["params"] if p.grad is not None]
            torch._foreach_mul_(given, 1 - group["lr"] * group["weight_decay"])
            if group["muon"]:
                self._matrices(given, group["lr"], group["momentum"])
            else:
                self._others(given, group["lr"], group["betas"])

    def _matrices(self, given: list[Tensor], lr: float, momentum: float) -> None:
        alike: dict[torch.Size, list[tuple[Tensor, Tensor]]] = {}
        for p in given:
            assert p.grad is not None
            mean = self.state[p].setdefault("momentum", torch.zeros_like(p))
            mean.lerp_(p.grad, 1 - momentum)
            ahead = p.grad.lerp(mean, momentum)  # Nesterov
            flat = ahead.flatten(1)
            alike.setdefault(flat.shape, []).append((p, flat))
        for shape, members in alike.items():
            updates = orthogonal(torch.stack([flat for _, flat in members]))
            size = -lr * SCALE * max(shape) ** 0.5
            for (p, _), update in zip(members, updates, strict=True):
                p.add_(update.view(p.shape), alpha=size)

    def _others(self, given: list[Tensor], lr: float, betas: tuple[float, float]) -> None:
        for p in given:
            assert p.grad is not None
            state = self.state[p]
            if not state:
                state.update(
                    step=torch.zeros(()),
                    exp_avg=torch.zeros_like(p),
                    exp_avg_sq=torch.zeros_like(p),
                )
            state["step"] += 1
            step = float(state["step"])
            state["exp_avg"].lerp_(p.grad, 1 - betas[0])
            state["exp_avg_sq"].lerp_(p.grad**2, 1 - betas[1])
            spread = (state["exp_avg_sq"] / (1 - betas[1] ** step)).sqrt_().add_(1e-8)
            p.addcdiv_(state["exp_avg"], spread, value=-lr / (1 - betas[0] ** step))
