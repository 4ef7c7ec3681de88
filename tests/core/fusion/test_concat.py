"""Side by side."""

import torch

from mm_core.fusion.concat import concat, concat_rows


def test_tokens_stand_in_the_order_given(three):
    found = concat(three).embedding
    assert torch.equal(found.mask, torch.cat([e.mask for e in three], 1))
    assert torch.equal(found.tokens[0, :5], three[0].tokens[0])
    assert torch.equal(found.tokens[1, 5:9], three[1].tokens[1])
    assert found.modality == "text+style+audio"


def test_one_input_comes_out_bit_for_bit(embed):
    e = embed("text", 2, 77, 4)
    assert torch.equal(concat([e]).embedding.tokens, e.tokens)
    assert torch.equal(concat_rows([e]).embedding.tokens, e.tokens)


def test_inputs_of_77_tokens_in_whole_rows_are_plain_concat(embed):
    pair = [embed("text", 1, 77, 4), embed("style", 1, 77, 4)]
    assert torch.equal(concat_rows(pair).embedding.tokens, concat(pair).embedding.tokens)


def test_rows_of_different_inputs_have_lengths_that_share_a_call(embed):
    text, style = embed("text", 1, 77, 4), embed("style", 1, 16, 4)
    lengths = [concat_rows(e).embedding.mask.shape[1] for e in ([text], [style], [text, style])]
    assert lengths == [77, 77, 154]


def test_a_typed_block_adds_its_mark_to_each_input(three, make, stirred):
    block = stirred(make("concat"))
    found = block(three).embedding
    style = three[1].tokens[1] + block.align.mark["style"]
    torch.testing.assert_close(found.tokens[1, 8:12], style)
    assert found.modality == "text+audio+style"
