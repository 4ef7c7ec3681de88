"""Shards hold scenes as they were made, and are made once."""

import pytest
import torch

from mm_core.embedded.scenes.dataset import make_scenes
from mm_core.embedded.vocabulary import tokenize
from mm_core.training.embedded import shards


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch):
    monkeypatch.setattr(shards, "SHARD", 4)


def test_a_shard_holds_the_scenes_of_its_seed(tmp_path):
    table = shards.read_shards([shards.make_shard(tmp_path, 5)])
    expected = make_scenes(4, 5)
    for name in ("picture", "small", "depth", "skeleton", "segment"):
        assert torch.equal(table[name], getattr(expected, name))
    assert table["tokens"][2, 1].tolist() == tokenize(expected.captions[2][1])
    for name, value in vars(expected.content).items():
        assert torch.equal(vars(shards.content_of(table))[name], value)
    for name, value in vars(expected.style).items():
        assert torch.equal(vars(shards.style_of(table))[name], value)


def test_enough_shards_are_made_for_the_count_each_with_its_seed(tmp_path):
    told = []
    paths = shards.make_shards(tmp_path, 6, 10, told.append)
    assert [p.name for p in paths] == ["scenes-10.safetensors", "scenes-11.safetensors"]
    assert told == [4, 6]
    assert len(shards.read_shards(paths)["picture"]) == 8


def test_a_shard_that_is_there_is_not_made_again(tmp_path):
    path = shards.make_shard(tmp_path, 5)
    before = path.stat().st_mtime_ns
    shards.make_shard(tmp_path, 5)
    assert path.stat().st_mtime_ns == before


def test_columns_can_be_left_out(tmp_path):
    table = shards.read_shards([shards.make_shard(tmp_path, 5)], skip=("picture", "tokens"))
    assert "picture" not in table
    assert "small" in table
