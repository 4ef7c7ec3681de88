"""Every layer has its own projections, under the names of published files."""

import layouts
import torch

from mm_core.adapters.ip_adapter.keys_values import KeysValues


def test_each_layer_projects_the_same_tokens(noise):
    layers, tokens = KeysValues(6, {1: 4, 3: 8}), noise(2, 5, 6)
    found = layers(tokens)
    assert found.keys() == {1, 3}
    for index, (k, v) in found.items():
        layer = layers[str(index)]
        torch.testing.assert_close(k, tokens @ layer.to_k_ip.weight.T)
        torch.testing.assert_close(v, tokens @ layer.to_v_ip.weight.T)


def test_names_are_those_of_files_with_a_bias_only_where_asked():
    plain = KeysValues(6, {1: 4, 3: 8}).state_dict()
    assert {f"ip_adapter.{n}" for n in plain} == layouts.layers([4, 8], 6).keys()
    biased = KeysValues(6, {0: 4, 1: 8}, bias=True).state_dict()
    expected = layouts.layers([4, 8], 6, start=0, step=1, bias=True)
    assert {f"ip_adapter.{n}" for n in biased} == expected.keys()
