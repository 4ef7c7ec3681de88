"""Scenes as embeddings: the right ones, and the same ones again."""

import pytest
import torch

from mm_core.embedded.scenes.dataset import make_scenes
from mm_core.embedded.vocabulary import words_of
from mm_core.training.fusion.inputs import batch_of, make_inputs, rows, with_own_captions


@pytest.fixture(scope="module")
def scenes():
    return make_scenes(64, seed=11)


def test_embeddings_are_of_the_scenes_of_the_seed(few, scenes):
    assert few.captions == [c[0] for c in scenes.captions]
    assert few.text.mask.sum(1).tolist() == [1 + len(words_of(c)) for c in few.captions]
    assert few.text.tokens.shape == (64, 24, 128)
    assert few.style.tokens.shape == (64, 16, 128)
    assert few.picture.tokens.shape == (64, 64, 64)
    assert torch.equal(few.content.kind, scenes.content.kind)
    assert torch.equal(few.look.family, scenes.style.family)


def test_the_style_is_read_in_another_scene_of_the_group(few, scenes, shipped):
    own = scenes.small[:4].float() / 255
    with torch.no_grad():
        read = shipped.adapters.style(own)
    torch.testing.assert_close(few.style.tokens[0], read[1], rtol=1e-4, atol=1e-4)
    assert (few.style.tokens[0] - read[0]).abs().max() > 1e-2


def test_fewer_scenes_of_a_seed_are_its_first(few, shipped):
    found = make_inputs(shipped, 32, seed=11)
    assert found.captions == few.captions[:32]
    torch.testing.assert_close(found.text.tokens, few.text.tokens[:32], rtol=1e-4, atol=1e-4)


def test_chosen_scenes_keep_everything_together(few):
    found = rows(few, torch.tensor([5, 2]))
    assert found.captions == [few.captions[5], few.captions[2]]
    for name in ("text", "style", "picture"):
        assert torch.equal(getattr(found, name).tokens[1], getattr(few, name).tokens[2])
    assert found.content.color.tolist() == few.content.color[[5, 2]].tolist()


def test_scenes_with_captions_of_their_own(few):
    twice = rows(few, torch.tensor([0, 1, 0, 2, 1, 3]))
    assert with_own_captions(twice, 3).captions == few.captions[:3]
    with pytest.raises(ValueError, match="6 scenes have 4 captions; needed 5"):
        with_own_captions(twice, 5)


def test_a_batch_has_no_scene_twice(few):
    numbered = rows(few, torch.arange(40))
    assert len(batch_of(numbered, 64, 1)) == 40
    tokens = batch_of(numbered, 30, 1).picture.tokens[:, 0]
    assert len(tokens.unique(dim=0)) == 30


def test_a_batch_depends_on_its_step_alone(few):
    assert batch_of(few, 8, 3).captions == batch_of(few, 8, 3).captions
    assert batch_of(few, 8, 3).captions != batch_of(few, 8, 4).captions
