"""Padding that can be left out, and masks for what cannot."""

import torch

from mm_core.fusion.padding import attention_mask, without_padding
from mm_core.types import ModalityEmbedding


def some(rows):
    mask = torch.tensor(rows, dtype=torch.bool)
    tokens = torch.arange(mask.numel(), dtype=torch.float32).view(*mask.shape, 1)
    return ModalityEmbedding("text", tokens, mask)


def test_places_that_no_sample_uses_are_left_out():
    found = without_padding(some([[1, 0, 1, 0], [1, 0, 0, 0]]))
    assert found.tokens[..., 0].tolist() == [[0.0, 2.0], [4.0, 6.0]]
    assert found.mask.tolist() == [[True, True], [True, False]]


def test_an_embedding_without_padding_is_the_same_object():
    whole = some([[1, 1], [1, 0]])
    assert without_padding(whole) is whole


def test_one_place_is_left_of_padding_alone():
    found = without_padding(some([[0, 0, 0]]))
    assert found.tokens.shape == (1, 1, 1)
    assert not found.mask.any()


def test_a_mask_is_given_where_samples_differ_only():
    assert attention_mask(some([[1, 1], [1, 1]])) is None
    assert attention_mask(some([[1, 1], [1, 0]])).tolist() == [[1, 1], [1, 0]]


def test_a_sample_of_padding_alone_hears_one_place():
    assert attention_mask(some([[1, 1], [0, 0]])).tolist() == [[1, 1], [1, 0]]
