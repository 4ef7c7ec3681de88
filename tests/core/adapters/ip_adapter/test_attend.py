"""Image terms are added to the text's output, each with a softmax, a scale and a place."""

import math

import pytest
import torch

from mm_core.adapters.ip_adapter.attend import ImageTerm, add_images, attention
from mm_core.adapters.ip_adapter.keys_values import KV

HEADS = 3


@pytest.fixture
def text(noise):
    return noise(2, 10, 12, dtype=torch.float64)


@pytest.fixture
def q(noise):
    return noise(2, 10, 12, dtype=torch.float64)


@pytest.fixture
def kv(noise):
    return lambda rows=2, n=4: KV(*(noise(rows, n, 12, dtype=torch.float64) for _ in "kv"))


def by_hand(q, k, v, bias=0.0):
    """One head after the other."""
    parts = zip(*(x.chunk(HEADS, -1) for x in (q, k, v)), strict=True)
    return torch.cat([((a @ b.mT / math.sqrt(4)) + bias).softmax(-1) @ c for a, b, c in parts], -1)


def test_attention_is_its_formula(q, kv, noise):
    k, v = kv()
    bias = noise(1, 1, 4, dtype=torch.float64)
    torch.testing.assert_close(attention(q, k, v, HEADS), by_hand(q, k, v))
    torch.testing.assert_close(attention(q, k, v, HEADS, bias), by_hand(q, k, v, bias))


def test_terms_add_up_each_with_a_softmax_of_its_own(text, q, kv):
    a, b = kv(), kv(n=7)
    found = add_images(text, q, [ImageTerm(a, 0.7), ImageTerm(b, -1.2)], HEADS)
    torch.testing.assert_close(found, text + 0.7 * by_hand(q, *a) - 1.2 * by_hand(q, *b))


def test_every_row_has_its_own_scale_and_place(text, q, kv, noise):
    a, where = kv(), noise(2, 10, 1, dtype=torch.float64)
    scale = torch.tensor([0.5, 2.0], dtype=torch.float64).view(2, 1, 1)
    found = add_images(text, q, [ImageTerm(a, scale, where)], HEADS)
    torch.testing.assert_close(found, text + scale * where * by_hand(q, *a))


def test_one_row_of_keys_serves_all_rows_and_rows_do_not_mix(text, q, kv):
    a = kv(rows=1)
    both = add_images(text, q, [ImageTerm(a)], HEADS)
    for i in range(2):
        one = add_images(text[i : i + 1], q[i : i + 1], [ImageTerm(a)], HEADS)
        torch.testing.assert_close(both[i : i + 1], one)


@pytest.mark.parametrize("scale", [0.0, torch.zeros(2, 1, 1)])
def test_scale_0_changes_nothing_bit_for_bit(text, q, kv, scale):
    assert torch.equal(add_images(text, q, [ImageTerm(kv(), scale)], HEADS), text)


def test_scale_0_is_not_even_computed(text, q, kv):
    def fails(*_):
        raise AssertionError("attention ran")

    add_images(text, q, [ImageTerm(kv(), 0.0)], HEADS, fails)


def test_the_attention_is_the_callers(text, q, kv):
    found = add_images(text, q, [ImageTerm(kv())], HEADS, lambda q, k, v, heads, mask: q)
    assert torch.equal(found, text + q)


def test_half_precision_stays_what_the_queries_are(text, q, kv):
    out = add_images(text.half(), q.half(), [ImageTerm(kv(), torch.ones(2, 1, 1))], HEADS)
    assert out.dtype == torch.float16
