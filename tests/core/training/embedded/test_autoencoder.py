"""The autoencoder's start and figures, against principal components and decibels."""

import numpy as np
import pytest
import torch

from mm_core.embedded.autoencoder import Autoencoder
from mm_core.training.embedded import autoencoder as stage


@pytest.fixture(scope="module")
def pictures(scenes):
    return scenes.picture[:8]


def without_network(model):
    with torch.no_grad():
        for part in (model.encoder, model.decoder):
            for parameter in part.parameters():
                parameter.zero_()


def test_the_linear_path_starts_at_the_principal_components_of_patches(pictures):
    model = Autoencoder(8, 8)
    stage.principal_start(model, pictures)
    without_network(model)
    decoded = model.reconstruct(model.posterior(pictures.float() / 255)[0]).detach()
    x = pictures.double().numpy() / 255
    patches = x.reshape(8, 3, 16, 8, 16, 8).transpose(0, 2, 4, 1, 3, 5).reshape(-1, 192)
    centred = patches - patches.mean(0)
    values = np.linalg.eigvalsh(np.cov(centred.T, bias=True))
    best = values[:-8].sum() / 192  # what eight components cannot say
    error = ((decoded.double().numpy() - x) ** 2).mean()
    # The components come from every fourth patch.
    assert best <= error < 1.15 * best


def test_whitened_latents_have_mean_0_and_variance_1(pictures):
    model = Autoencoder(8, 8)
    stage.whiten(model, pictures)
    latent = model.encode(pictures.float() / 255).detach().transpose(0, 1).flatten(1)
    torch.testing.assert_close(latent.mean(1), torch.zeros(8), rtol=0, atol=1e-3)
    torch.testing.assert_close(latent.std(1), torch.ones(8), rtol=1e-3, atol=0)


def test_psnr_is_in_decibels(pictures):
    class Off(Autoencoder):
        """Every pixel is off by a tenth, towards the middle."""

        def encode(self, picture):
            return picture

        def decode(self, latent):
            return torch.where(latent > 0.5, latent - 0.1, latent + 0.1)

    assert stage.psnr(Off(8, 8), pictures) == pytest.approx(20, abs=1e-3)


def test_the_loss_falls_when_the_picture_is_met(pictures, rng):
    model, x = Autoencoder(8, 8), pictures.float() / 255
    before = stage.loss(model, x, rng)
    stage.principal_start(model, pictures)
    assert stage.loss(model, x, rng) < before
