"""Muon against a step computed in float64 from the published formulas."""

import pytest
import torch
from torch import nn

from mm_core.embedded.model import EmbeddedModel
from mm_core.training.embedded.muon import COEFFICIENTS, Muon, is_matrix, orthogonal


def quintic(x, steps=5):
    """The iteration on singular values alone."""
    a, b, c = COEFFICIENTS
    u, s, v = torch.linalg.svd(x.double(), full_matrices=False)
    s = s / s.square().sum().sqrt()
    for _ in range(steps):
        s = a * s + b * s**3 + c * s**5
    return u @ torch.diag(s) @ v


@pytest.mark.parametrize("shape", [(6, 20), (20, 6), (8, 8)])
def test_singular_values_go_through_the_quintic_and_end_near_1(shape, noise):
    x = noise(*shape)
    found = orthogonal(x[None])[0].double()
    assert (found - quintic(x)).abs().max() < 0.03  # bfloat16 inside
    spread = torch.linalg.svdvals(found)
    assert 0.6 < spread.min() <= spread.max() < 1.3


def test_matrices_of_a_batch_do_not_see_each_other(noise):
    x = noise(3, 5, 9)
    alone = torch.cat([orthogonal(m[None]) for m in x])
    rounding = 5 * torch.finfo(torch.bfloat16).eps  # a unit for each step of the iteration
    torch.testing.assert_close(orthogonal(x), alone, rtol=0, atol=rounding)


def test_zero_stays_zero():
    assert torch.equal(orthogonal(torch.zeros(1, 4, 4)), torch.zeros(1, 4, 4))


def test_two_steps_are_momentum_made_orthogonal_at_the_scale_of_adamw(noise):
    layer = nn.Linear(12, 5, bias=False)
    before = layer.weight.detach().double()
    optimizer = Muon([("hidden.weight", layer.weight)], lr=0.01, weight_decay=0.1)
    mean = torch.zeros(5, 12).double()
    for _ in range(2):
        gradient = noise(5, 12)
        layer.weight.grad = gradient
        optimizer.step()
        mean = 0.95 * mean + 0.05 * gradient.double()
        ahead = 0.05 * gradient.double() + 0.95 * mean
        before = before * (1 - 0.01 * 0.1) - 0.01 * 0.2 * 12**0.5 * quintic(ahead)
    torch.testing.assert_close(layer.weight.detach().double(), before, rtol=0, atol=6e-4)


def test_convolutions_are_matrices_of_output_by_everything_else(noise):
    layer = nn.Conv2d(4, 6, 3, bias=False)
    flat = nn.Linear(36, 6, bias=False)
    flat.weight.data = layer.weight.detach().flatten(1).clone()
    gradient = noise(6, 4, 3, 3)
    layer.weight.grad, flat.weight.grad = gradient, gradient.flatten(1)
    Muon([("hidden.weight", layer.weight)], lr=0.01).step()
    Muon([("hidden.weight", flat.weight)], lr=0.01).step()
    assert torch.equal(layer.weight.flatten(1), flat.weight)


def test_what_is_no_matrix_gets_adamw(noise):
    ours, theirs = nn.Linear(3, 4), nn.Linear(3, 4)
    theirs.bias.data = ours.bias.detach().clone()
    optimizer = Muon([("bias", ours.bias)], lr=0.01)
    reference = torch.optim.AdamW([theirs.bias], lr=0.01, betas=(0.9, 0.99), weight_decay=0.01)
    for _ in range(3):
        ours.bias.grad = theirs.bias.grad = noise(4)
        optimizer.step()
        reference.step()
    torch.testing.assert_close(ours.bias, theirs.bias, rtol=0, atol=1e-6)


def test_tables_and_both_ends_of_the_network_are_no_hidden_matrices():
    chosen = {n for n, p in EmbeddedModel().named_parameters() if is_matrix(n, p)}
    assert "denoiser.deep_in.conv1.weight" in chosen
    assert "adapters.style.layer.attention.qkv.weight" in chosen
    for name in ("text.embedding.weight", "denoiser.enter.weight", "denoiser.leave.weight",
                 "denoiser.place", "denoiser.deep_in.conv1.bias"):  # fmt: skip
        assert name not in chosen
