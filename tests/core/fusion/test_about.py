"""Blocks and what they did, in words."""

import pytest
import torch

from mm_core.fusion.about import NEW, about_block, about_fused
from mm_core.fusion.average import average
from mm_core.fusion.block import Fused
from mm_core.fusion.kinds import KINDS
from mm_core.weights.header import Header


def test_what_a_new_block_is_is_told_of_every_kind():
    assert NEW.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_a_block_without_a_recipe_is_said_to_be_untrained(make, kind):
    said = about_block(make(kind), Header("fusion", 1))
    assert said.startswith(f"{kind}, for text (8 wide, the base), audio (")
    assert f"no trained weights: its file tells of no training, and a new block is {NEW[kind]}" in (
        said
    )


def test_recipe_and_figures_are_told(make):
    header = Header("fusion", 1, {}, {"steps": 1500}, {"top-1": 0.97})
    said = about_block(make("joint"), header).splitlines()
    assert said[-2:] == ["trained: steps 1500", "measured: top-1 0.97"]


def test_sizes_shares_and_agreement_are_told(embed):
    parts = [embed("text", 1, 5, 4), embed("style", 1, 2, 4)]
    fused = average(parts)
    said = about_fused(parts, "average", Fused(fused.embedding, fused.shares, {
        "text": torch.tensor([0.254]), "style": torch.tensor([-0.1])}))  # fmt: skip
    lines = said.splitlines()
    assert lines[0] == "average: text (5 tokens, 4 wide) + style (2 tokens, 4 wide)"
    assert lines[1] == "gives 5 tokens, 4 wide"
    # text alone at 3 of 5 places, half of each of the first 2
    assert lines[2] == "heard: text 80%, style 20%"
    assert lines[3] == "agreement, -1 to 1: text 0.25, style -0.10"


def test_of_many_samples_the_first_few_are_told(embed):
    part = embed("text", 6, 2, 4)
    said = about_fused([part], "concat", Fused(part, {"text": torch.ones(6)}))
    assert said.endswith("for 6 samples\nheard: text 100% / 100% / 100% / 100% / ...")
