"""The two rules for Flux, by their definitions."""

import pytest
import torch
import torch.nn.functional as F

from mm_core.adapters.ip_adapter.flux import block_of, instantx_term, rms_norm, xlabs_term
from mm_core.adapters.ip_adapter.keys_values import KV


@pytest.fixture
def q(noise):
    return noise(2, 3, 5, 4)


@pytest.fixture
def kv(noise):
    return KV(noise(1, 6, 12), noise(1, 6, 12))


def head(kv, h):
    return (part[0, :, 4 * h : 4 * h + 4].double() for part in kv)


def test_xlabs_hears_keys_and_values_as_they_are(q, kv):
    found = xlabs_term(q, kv)
    for h in range(3):
        k, v = head(kv, h)
        expected = (q[1, h].double() @ k.T / 2).softmax(-1) @ v
        torch.testing.assert_close(found[1, :, 4 * h : 4 * h + 4], expected.float())


def test_instantx_norms_keys_and_values_by_head(q, kv):
    found = instantx_term(q, kv)
    for h in range(3):
        k, v = (x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt() for x in head(kv, h))
        expected = (q[1, h].double() @ k.T / 2).softmax(-1) @ v
        torch.testing.assert_close(found[1, :, 4 * h : 4 * h + 4], expected.float())


def test_the_norm_is_pytorchs_and_safe_in_half_precision(noise):
    x = noise(2, 8)
    torch.testing.assert_close(rms_norm(x), F.rms_norm(x, (8,), eps=1e-5))
    assert rms_norm(torch.full((1, 8), 6e4, dtype=torch.float16)).isfinite().all()


@pytest.mark.parametrize(
    ("index", "block"),
    [
        (0, ("double_block", 0)),
        (18, ("double_block", 18)),
        (19, ("single_block", 0)),
        (56, ("single_block", 37)),
    ],
)
def test_instantx_counts_double_blocks_first(index, block):
    assert block_of(index) == block
