"""The shared layer."""

import math

import torch
import torch.nn.functional as F

from mm_core.priors.blocks import Attention, Block, Past


def test_attention_is_its_formula(noise):
    layer = Attention(8, 2)
    x, bias = noise(2, 5, 8), noise(1, 1, 5, 5)
    q, k, v = (F.linear(x, p.weight, p.bias) for p in (layer.to_q, layer.to_k, layer.to_v))
    heads = []
    for h in (slice(0, 4), slice(4, 8)):
        weight = (q[..., h] @ k[..., h].mT / math.sqrt(4) + bias[0]).softmax(-1)
        heads.append(weight @ v[..., h])
    expected = layer.to_out[0](torch.cat(heads, -1))
    torch.testing.assert_close(layer(x, bias), expected)


def test_a_block_adds_both_parts_of_its_normalised_input(noise):
    block, x, bias = Block(8, 2), noise(2, 5, 8), torch.zeros(1, 1, 5, 5)
    after = x + block.attn1(block.norm1(x), bias)
    widened = F.gelu(block.ff.net[0].proj(block.norm3(after)))
    torch.testing.assert_close(block(x, bias), after + block.ff.net[2](widened))


def test_tokens_one_by_one_are_tokens_together(noise):
    block, x = Block(8, 2), noise(2, 5, 8)
    later = torch.full((5, 5), -1e4).triu(1)[None, None]
    past = Past()
    parts = [block(x[:, :3], later[..., :3, :3], past)]
    parts += [block(x[:, k : k + 1], later[..., k : k + 1, : k + 1], past) for k in (3, 4)]
    torch.testing.assert_close(torch.cat(parts, 1), block(x, later), rtol=1e-4, atol=1e-5)
