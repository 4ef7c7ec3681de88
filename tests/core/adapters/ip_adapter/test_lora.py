"""The low-rank weights of FaceID files go to the attentions they were trained in."""

import layouts
import torch

from mm_core.adapters.ip_adapter.lora import lora_weights
from mm_core.adapters.ip_adapter.sites import Architecture, sites

TINY = Architecture("tiny", 64, (8, 16, 24, 24), (1, 1, 1, 0), 1)
WIDTHS = [8] * 2 + [16] * 2 + [24] * 5 + [16] * 3 + [8] * 3 + [24]


def test_every_attention_gets_four_pairs_of_the_files_own_tensors():
    tensors = layouts.random_tensors(layouts.lora(WIDTHS, 64, 4))
    found = lora_weights(tensors, sites(TINY))
    assert len(found) == 16 * 2 * 4
    named = {
        "input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight": "0.to_q",
        "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": "1.to_k",
        "output_blocks.11.1.transformer_blocks.0.attn2.to_out.0.weight": "29.to_out",
        "middle_block.1.transformer_blocks.0.attn1.to_v.weight": "30.to_v",
    }
    for name, index in named.items():
        assert torch.equal(found[name].down, tensors[f"ip_adapter.{index}_lora.down.weight"])
        assert torch.equal(found[name].up, tensors[f"ip_adapter.{index}_lora.up.weight"])


def test_products_have_the_shapes_of_the_weights_they_are_added_to():
    found = lora_weights(layouts.random_tensors(layouts.lora(WIDTHS, 64, 4)), sites(TINY))
    for site in sites(TINY):
        down, up = found[f"{site.host_module}.to_k.weight"]
        assert (up @ down).shape == (site.width, 64)
        down, up = found[f"{site.host_module.replace('attn2', 'attn1')}.to_k.weight"]
        assert (up @ down).shape == (site.width, site.width)


def test_files_without_them_give_none():
    assert lora_weights(layouts.random_tensors(layouts.base(8, 64)), sites(TINY)) == {}
