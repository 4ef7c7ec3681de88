"""One width for all, and marks."""

import torch

from mm_core.fusion.align import Align


def test_an_input_of_the_width_starts_as_it_is_and_another_is_projected(embed):
    align = Align({"a": 4, "b": 3}, 4)
    a, b = embed("a", 2, 3, 4), embed("b", 2, 3, 3)
    found = align({"a": a, "b": b})
    assert torch.equal(found["a"].tokens, a.tokens)
    layer = align.project["b"]
    torch.testing.assert_close(found["b"].tokens, b.tokens @ layer.weight.T + layer.bias)


def test_a_mark_is_added_to_every_real_token_of_its_own_input(embed):
    align = Align({"a": 4, "b": 4}, 4)
    align.mark["a"].data.copy_(torch.arange(1.0, 5))
    a, b = embed("a", 1, 3, 4, (2,)), embed("b", 1, 3, 4)
    found = align({"a": a, "b": b})
    assert torch.equal(found["a"].tokens[0, :2], a.tokens[0, :2] + torch.arange(1.0, 5))
    assert not found["a"].tokens[0, 2].any()
    assert torch.equal(found["b"].tokens, b.tokens)
