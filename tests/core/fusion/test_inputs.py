"""Inputs brought together, and what is refused."""

from dataclasses import replace

import pytest
import torch

from mm_core.errors import InputError
from mm_core.fusion.config import FusionConfig
from mm_core.fusion.inputs import (
    by_modality,
    joined_name,
    present,
    side_by_side,
    together,
    with_stand_in,
)

CONFIG = FusionConfig({"text": 8, "style": 8, "audio": 8})


def test_padding_becomes_zero_and_the_rest_stays(three):
    for before, after in zip(three, together(three), strict=True):
        assert torch.equal(after.tokens[before.mask], before.tokens[before.mask])
        assert not after.tokens[~before.mask].any()


def test_a_single_input_is_repeated_to_the_batch(embed):
    one, two = together([embed("a", 1, 3, 4), embed("b", 2, 3, 4)])
    assert torch.equal(one.tokens[0], one.tokens[1])
    assert one.mask.shape == two.mask.shape == (2, 3)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ([], "nothing to fuse; connect at least one embedding"),
        ([("text", 2, 8), ("style", 3, 8)], "text has a batch of 2 where another input has 3"),
        ([("pose", 2, 8)], "not made for 'pose'; it takes text, audio, style: disconnect it"),
        ([("text", 2, 7)], "text has tokens of width 7; the fusion block was made for 8"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(embed, inputs, said):
    with pytest.raises(InputError, match=said):
        by_modality([embed(name, b, 3, d) for name, b, d in inputs], CONFIG)


def test_side_by_side_refuses_other_widths(embed):
    with pytest.raises(InputError, match=r"different widths, {'a': 4, 'b': 5}; use encoders of"):
        side_by_side([embed("a", 1, 3, 4), embed("b", 1, 3, 5)])


def test_inputs_of_one_name_are_joined_and_names_stand_in_the_order_of_the_block(embed):
    first, second = embed("style", 2, 2, 8), embed("style", 2, 3, 8)
    parts = by_modality([first, embed("text", 2, 3, 8), second], CONFIG)
    assert list(parts) == ["text", "style"]
    assert torch.equal(parts["style"].tokens, torch.cat([first.tokens, second.tokens], 1))
    assert joined_name([first, second, parts["text"]]) == "style+text"


def test_presence_is_by_sample(three):
    there = present({e.modality: e for e in three})
    assert {n: t.tolist() for n, t in there.items()} == {
        "text": [True, True], "style": [True, True], "audio": [True, False],
    }  # fmt: skip


def test_a_token_stands_in_only_where_the_base_is_missing(embed):
    e, stand_in = embed("text", 2, 3, 4, (2, 0)), torch.arange(4.0)
    found = with_stand_in({"text": e}, "text", stand_in)
    assert found.mask.tolist() == [[True, True, False], [True, False, False]]
    assert torch.equal(found.tokens[0], e.tokens[0])
    assert torch.equal(found.tokens[1, 0], stand_in)


def test_a_base_that_is_not_given_is_the_stand_in_alone(embed):
    found = with_stand_in({"a": embed("a", 2, 3, 4)}, "text", torch.arange(4.0))
    assert found.tokens.tolist() == [[[0.0, 1.0, 2.0, 3.0]]] * 2
    assert found.mask.all()
    assert found.modality == "text"


def test_what_is_given_is_not_changed(three):
    before = [e.tokens.clone() for e in three]
    together([replace(e) for e in three])[0].tokens.add_(1)
    assert all(torch.equal(e.tokens, b) for e, b in zip(three, before, strict=True))
