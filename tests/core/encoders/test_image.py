"""Pictures of any size; that the numbers are transformers' own, tests/parity says."""

import pytest
import torch

from mm_core.errors import InputError


@pytest.mark.parametrize("size", [(32, 32), (9, 200), (300, 40)])
def test_any_size_gives_the_same_number_of_tokens(opened, rng, size):
    found = opened("clip_vision")(torch.rand(1, 3, *size, generator=rng))
    assert found.embedding.tokens.shape == (1, 17, 32)
    assert found.embedding.mask.all()
    assert found.vector.shape == (1, 16)


@pytest.mark.parametrize("make", ["clip_vision", "siglip", "dinov2"])
def test_pictures_do_not_influence_each_other(opened, rng, make):
    encoder = opened(make, kind="image")
    pictures = torch.rand(2, 3, 40, 50, generator=rng)
    both, alone = encoder(pictures), encoder(pictures[1:])
    assert torch.equal(both.embedding.tokens[1:], alone.embedding.tokens)
    assert torch.equal(both.vector[1:], alone.vector)
    assert not torch.equal(both.vector[0], both.vector[1])


def test_naflex_has_a_token_for_each_patch_of_the_pictures_own_shape(opened, rng):
    encoder = opened("siglip2", kind="image")  # at most 16 patches
    wide = encoder(torch.rand(1, 3, 8, 64, generator=rng)).embedding
    square = encoder(torch.rand(1, 3, 32, 32, generator=rng)).embedding
    assert square.tokens.shape[1] == 16
    assert wide.tokens.shape[1] < 16
    assert wide.mask.all()


def test_each_picture_is_a_step(opened, rng):
    seen = []
    opened("clip_vision")(torch.rand(2, 3, 32, 32, generator=rng), lambda *s: seen.append(s))
    assert seen == [(1, 2), (2, 2)]


def test_results_are_in_full_precision_whatever_the_weights_are(opened, rng):
    found = opened("clip_vision", dtype=torch.bfloat16)(torch.rand(1, 3, 32, 32, generator=rng))
    assert found.embedding.tokens.dtype == found.vector.dtype == torch.float32


def test_what_is_no_picture_is_refused(opened):
    with pytest.raises(InputError, match=r"found str; needed pictures"):
        opened("clip_vision")("a.png")


def test_a_preprocessor_of_another_model_is_said_to_be_one(opened, change, tmp_path):
    opened("clip_vision")
    path = tmp_path / "clip_vision" / "preprocessor_config.json"
    change(path, crop_size={"height": 48, "width": 48}, size={"shortest_edge": 48})
    with pytest.raises(InputError, match="refuses what its folder's preprocessing gives it"):
        opened("clip_vision")(torch.zeros(1, 3, 32, 32))


def test_a_clip_folder_without_its_preprocessor_is_prepared_for_as_every_clip_is(
    opened, rng, tmp_path
):
    picture = torch.rand(1, 3, 50, 40, generator=rng)
    said = opened("clip_vision")(picture)
    (tmp_path / "clip_vision" / "preprocessor_config.json").unlink()
    assert torch.equal(opened("clip_vision")(picture).vector, said.vector)


def test_other_families_need_theirs(opened, tmp_path):
    opened("dinov2")
    (tmp_path / "dinov2" / "preprocessor_config.json").unlink()
    with pytest.raises(InputError, match=r"found no preprocessor_config.json"):
        opened("dinov2")
