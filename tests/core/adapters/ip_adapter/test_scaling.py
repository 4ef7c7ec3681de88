"""The four scalings by their definitions, and where they agree."""

import pytest
import torch

from mm_core.adapters.ip_adapter.keys_values import KV
from mm_core.adapters.ip_adapter.scaling import scale_kv
from mm_core.errors import InputError

ALL = ("V only", "K+V", "K+V w/ C penalty", "K+mean(V) w/ C penalty")


@pytest.fixture
def kv(noise):
    return lambda width: KV(noise(2, 5, width), noise(2, 5, width))


def test_v_only_leaves_keys_and_values_and_scales_the_output(kv):
    given = kv(320)
    assert scale_kv(given, 0.7) == (given, 0.7)


@pytest.mark.parametrize(("how", "factor"), [("K+V", 0.7), ("K+V w/ C penalty", 0.7 / 4)])
def test_keys_and_values_are_scaled_less_in_narrow_layers_with_the_penalty(kv, how, factor):
    given = kv(320)
    (k, v), left = scale_kv(given, 0.7, how)
    torch.testing.assert_close(k, factor * given.k)
    torch.testing.assert_close(v, factor * given.v)
    assert left == 1


def test_mean_v_scales_what_tokens_share_and_keeps_how_they_differ(kv):
    given = kv(640)
    (k, v), left = scale_kv(given, 0.7, "K+mean(V) w/ C penalty")
    torch.testing.assert_close(k, 0.35 * given.k)
    torch.testing.assert_close(v.mean(1), 0.35 * given.v.mean(1))
    torch.testing.assert_close(v - v.mean(1, keepdim=True), given.v - given.v.mean(1, keepdim=True))
    assert left == 1


@pytest.mark.parametrize("how", ALL)
def test_at_weight_1_in_the_widest_layers_all_are_the_same(kv, how):
    given = kv(1280)
    (k, v), left = scale_kv(given, torch.ones(2, 1, 1), how)
    torch.testing.assert_close((k, left * v), tuple(given))


def test_each_row_may_have_its_own_scale(kv):
    given, scale = kv(1280), torch.tensor([0.5, 2.0]).view(2, 1, 1)
    (k, _), _ = scale_kv(given, scale, "K+V w/ C penalty")
    torch.testing.assert_close(k[1], 2 * given.k[1])


def test_an_unknown_scaling_is_refused_with_the_known(kv):
    with pytest.raises(InputError, match="no scaling 'Q only'; choose from V only, K\\+V, K"):
        scale_kv(kv(320), 1.0, "Q only")  # the command line passes what it was given
