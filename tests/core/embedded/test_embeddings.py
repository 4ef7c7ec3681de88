"""Inputs of the embedded model as embeddings."""

import math

import pytest
import torch

from mm_core.embedded.embeddings import (
    audio_embedding,
    latent_tokens,
    picture_embedding,
    style_embedding,
    text_embedding,
)
from mm_core.embedded.encode import encode_audio, encode_style, encode_text


@torch.no_grad()
def test_tokens_are_those_that_the_denoiser_is_given(shipped, noise):
    picture, wave = torch.rand(1, 3, 90, 120), noise(1, 16000)
    prompt = "a red star"
    text = text_embedding(shipped.text, [prompt, "a large blue heart"])
    torch.testing.assert_close(text.tokens[:1], encode_text(shipped.text, prompt).tokens)
    assert text.mask.sum(1).tolist() == [4, 5]
    style = style_embedding(shipped.adapters.style, picture)
    assert torch.equal(style.tokens, encode_style(shipped.adapters, picture).tokens)
    audio = audio_embedding(shipped.adapters.audio, wave)
    assert torch.equal(audio.tokens, encode_audio(shipped.adapters, wave).tokens)
    assert [e.modality for e in (text, style, audio)] == ["text", "style", "audio"]
    assert style.mask.all()
    assert audio.mask.all()


@torch.no_grad()
@pytest.mark.parametrize("size", [(128, 128), (70, 200)])
def test_a_picture_of_any_size_is_64_tokens(shipped, size):
    found = picture_embedding(shipped.autoencoder, torch.rand(2, 3, *size))
    assert found.tokens.shape == (2, 64, 64)
    assert found.mask.all()


def test_a_token_is_a_patch_of_the_latent_and_its_place(noise):
    latent = noise(1, 3, 4, 6)
    found = latent_tokens(latent)[0]
    assert found.shape == (6, 3 * 4 + 32)
    assert torch.equal(found[4, :12].view(3, 2, 2), latent[0, :, 2:4, 2:4])
    assert torch.equal(found[1, 12:28], found[0, 12:28])  # one row
    assert torch.equal(found[3, 28:], found[0, 28:])  # one column
    assert len({tuple(t[12:].tolist()) for t in found}) == 6
    assert found[3, 12].item() == pytest.approx(math.sin(0.75 * math.pi))
