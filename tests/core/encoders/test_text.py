"""Texts of any number and length; that the numbers are transformers' own, tests/parity says."""

import pytest
import torch

from mm_core.errors import InputError

TEXTS = ["a b c", "the quick brown fox"]


def test_texts_do_not_influence_each_other(opened):
    encoder = opened("clip_text")
    both, alone = encoder(TEXTS), encoder(TEXTS[0])
    assert torch.equal(both.embedding.tokens[:1, :5], alone.embedding.tokens)
    assert torch.equal(both.vector[:1], alone.vector)


def test_padding_is_zero_and_masked(opened):
    found = opened("clip_text")(TEXTS).embedding
    assert found.mask.sum(1).tolist() == [5, 16]
    assert not found.tokens[0, 5:].any()
    assert found.modality == "text"


def test_a_text_filled_up_before_it_is_the_same_number_of_tokens(opened, tmp_path, change):
    encoder = opened("siglip", kind="text")
    assert encoder("a b c").embedding.tokens.shape == (1, 5, 32)
    change(tmp_path / "siglip" / "tokenizer_config.json", padding_side="left")
    encoder = opened("siglip", kind="text")
    ids = encoder.tokenizer("a b c", padding="max_length", max_length=16)["input_ids"]
    assert ids[:11] == [0] * 11
    with torch.no_grad():
        expected = encoder.module(torch.tensor([ids])).last_hidden_state[:, 11:]
    assert torch.equal(encoder("a b c").embedding.tokens, expected)


@pytest.mark.parametrize("make", ["clip_text", "clap", "bert"])
def test_a_text_that_is_cut_is_said_with_its_figures(opened, caplog, make):
    found = opened(make, kind="text")("a" * 20)
    assert caplog.messages == [f"{make} reads 16 tokens; the last 6 of the text are not heard"]
    assert found.embedding.tokens.shape[1] == 16


def test_a_text_that_fits_is_not_remarked_on(opened, caplog):
    opened("clip_text")("a" * 14)
    assert caplog.messages == []


def test_t5_reads_512_tokens_where_its_folder_names_no_limit(opened):
    found = opened("t5")("a" * 600)
    assert found.embedding.tokens.shape == (1, 512, 32)
    assert found.vector is None


def test_no_text_is_a_text(opened):
    assert opened("clip_text")("").embedding.tokens.shape == (1, 2, 32)


@pytest.mark.parametrize("given", [[], [3], torch.zeros(1, 3, 8, 8)])
def test_what_is_no_text_is_refused(opened, given):
    with pytest.raises(InputError, match="needed a text, or several"):
        opened("clip_text")(given)


def test_each_text_is_a_step_and_a_step_can_stop(opened):
    seen = []
    opened("clip_text")(TEXTS, lambda *step: seen.append(step))
    assert seen == [(1, 2), (2, 2)]

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        opened("clip_text")(TEXTS, stop)


def test_results_are_in_full_precision_whatever_the_weights_are(opened):
    found = opened("clip_text", dtype=torch.bfloat16)(TEXTS)
    assert found.embedding.tokens.dtype == found.vector.dtype == torch.float32


def test_the_width_of_the_common_space_may_stand_beside_the_halves_only(opened):
    assert opened("clip", 24, kind="text")("a").vector.shape == (1, 24)
