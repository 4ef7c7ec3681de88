"""What a fusion gives back."""

import pytest
import torch

from mm_core.fusion.block import FusionBlock, adjusted


def test_the_base_with_other_tokens_keeps_its_mask_and_names_all_that_was_heard(three):
    parts = {e.modality: e for e in three}
    found = adjusted(three[0], torch.ones(2, 5, 8), parts).embedding
    assert found.modality == "text+style+audio"
    assert torch.equal(found.mask, three[0].mask)
    assert torch.equal(found.tokens.amax(2), three[0].mask.float())


def test_a_block_says_itself_what_it_does(three):
    with pytest.raises(NotImplementedError):
        FusionBlock()(three)
