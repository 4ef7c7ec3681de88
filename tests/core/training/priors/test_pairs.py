"""Pairs from files and from scenes."""

import pytest
import torch
from safetensors.torch import save_file

from mm_core.embedded.vocabulary import tokenize
from mm_core.errors import InputError
from mm_core.training.priors.pairs import CAPTIONS, make_styled, read_pairs


def pairs(count, dim=8, words=4):
    rng = torch.Generator().manual_seed(count)
    return {
        "image_embeds": torch.randn(count, dim, generator=rng),
        "text_embeds": torch.randn(count, dim, generator=rng),
        "text_tokens": torch.randn(count, words, dim, generator=rng),
        "text_mask": (torch.rand(count, words, generator=rng) < 0.5).long(),
    }


@pytest.fixture
def folder(tmp_path):
    save_file(pairs(3), tmp_path / "b.safetensors")
    save_file(pairs(2), tmp_path / "a.safetensors")
    return tmp_path


def test_files_are_read_in_the_order_of_their_names(folder):
    found = read_pairs(folder)
    assert len(found) == 5
    assert found.empty is None
    expected = torch.cat([pairs(2)["image_embeds"], pairs(3)["image_embeds"]])
    assert torch.equal(found.vectors, expected)
    text, vectors = found.rows(torch.tensor([4, 0]))
    assert torch.equal(vectors, expected[[4, 0]])
    assert torch.equal(text.mask[1], pairs(2)["text_mask"][0].bool())


def test_the_empty_text_stands_apart(folder):
    empty = {n: t for n, t in pairs(1).items() if n != "image_embeds"}
    save_file(empty, folder / "empty.safetensors")
    found = read_pairs(folder)
    assert len(found) == 5
    assert torch.equal(found.empty.pooled, empty["text_embeds"])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"text_mask": None}, "b.safetensors lacks text_mask; needed image_embeds"),
        ({"image_embeds": torch.zeros(3, 9)}, r"image_embeds has the shape \(3, 9\), which does"),
        ({"image_embeds": torch.zeros(2, 8)}, r"image_embeds has the shape \(2, 8\)"),
        ({"text_tokens": torch.zeros(3, 8)}, r"text_tokens has the shape \(3, 8\)"),
        ({"text_mask": torch.ones(3, 5)}, r"text_mask has the shape \(3, 5\)"),
    ],
)
def test_a_file_that_does_not_fit_is_named(folder, changed, said):
    tensors = {n: t for n, t in (pairs(3) | changed).items() if t is not None}
    save_file(tensors, folder / "b.safetensors")
    with pytest.raises(InputError, match=said):
        read_pairs(folder)


def spoiled(name, number):
    tensor = pairs(3)[name]
    tensor.view(-1)[-1] = number
    return {name: tensor}


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (spoiled("image_embeds", NAN), "image_embeds has numbers that are not finite in float32"),
        (spoiled("text_embeds", -INF), "text_embeds has numbers that are not finite"),
        (spoiled("text_tokens", INF), "text_tokens has numbers that are not finite"),
        (
            {"image_embeds": torch.full((3, 8), 1e300, dtype=torch.float64)},
            "image_embeds has numbers that are not finite in float32",
        ),
        ({"image_embeds": torch.ones(3, 8).int()}, "image_embeds is of int32; needed floats"),
        ({"text_embeds": torch.ones(3, 8).bool()}, "text_embeds is of bool; needed floats"),
        ({"text_mask": torch.full((3, 4), 0.5)}, "text_mask is of float32; needed truth values"),
        (spoiled("text_mask", 2), "text_mask has numbers other than 0 and 1"),
    ],
)
def test_numbers_that_cannot_be_learned_from_are_named_with_file_and_tensor(folder, changed, said):
    save_file(pairs(3) | changed, folder / "b.safetensors")
    with pytest.raises(InputError, match=f"b.safetensors: {said}"):
        read_pairs(folder)


def test_an_empty_text_that_is_not_finite_is_refused(folder):
    empty = pairs(1) | {"text_embeds": torch.full((1, 8), NAN)}
    save_file(empty, folder / "empty.safetensors")
    with pytest.raises(InputError, match=r"empty\.safetensors: text_embeds has .* not finite"):
        read_pairs(folder)


def test_half_precision_and_truth_values_are_read(folder):
    halved = {n: t.bool() if n == "text_mask" else t.half() for n, t in pairs(3).items()}
    save_file(halved, folder / "b.safetensors")
    found = read_pairs(folder)
    assert found.vectors.dtype == torch.float32
    torch.testing.assert_close(found.vectors[2:], pairs(3)["image_embeds"], atol=2e-3, rtol=0)
    assert torch.equal(found.text.mask[2:], pairs(3)["text_mask"].bool())


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_pairs_are_refused(tmp_path, count):
    save_file({n: t[:count].contiguous() for n, t in pairs(2).items()}, tmp_path / "a.safetensors")
    with pytest.raises(InputError, match=f"needed 2 or more pairs, found {count}; encode more"):
        read_pairs(tmp_path)
    save_file(pairs(2), tmp_path / "b.safetensors")
    assert len(read_pairs(tmp_path)) == 2 + count


def test_folders_without_pairs_are_refused(folder, tmp_path):
    with pytest.raises(InputError, match="is no folder; give one with files of image_embeds"):
        read_pairs(tmp_path / "none")
    (tmp_path / "bare").mkdir()
    with pytest.raises(InputError, match=r"has no \.safetensors files"):
        read_pairs(tmp_path / "bare")
    save_file(pairs(2, words=6), folder / "c.safetensors")
    with pytest.raises(InputError, match="different widths or numbers of tokens"):
        read_pairs(folder)
    save_file(pairs(2), folder / "c.safetensors")
    save_file(pairs(2), folder / "empty.safetensors")
    with pytest.raises(InputError, match="does not fit the pairs; encode one text alike"):
        read_pairs(folder)


def test_scenes_come_with_their_captions_and_are_the_same_again(shipped):
    told = []
    found = make_styled(shipped, 8, 5, told.append)
    assert found.tokens.shape == (8, 16, 128)
    assert [len(row) for row in found.captions] == [CAPTIONS] * 8
    assert all(tokenize(c) for row in found.captions for c in row)
    assert told == [8]
    again = make_styled(shipped, 8, 5)
    assert torch.equal(found.tokens, again.tokens)
    assert found.captions == again.captions
    assert len(found) == 8
