"""Shapes, losses and the preview of the autoencoder."""

import pytest
import torch

from mm_core.embedded.autoencoder import Autoencoder, Block


@pytest.fixture(scope="module")
def pictures(scenes):
    return scenes.picture[:2].float() / 255


def test_a_new_block_only_adds_a_constant(noise):
    block, x = Block(4, torch.nn), noise(1, 4, 5, 5)
    expected = (x + block.second.bias[:, None, None]).clamp(min=0)
    torch.testing.assert_close(block(x), expected)


@pytest.mark.parametrize(("rows", "columns"), [(16, 16), (16, 24), (3, 1)])
def test_a_picture_is_eight_times_its_latent_each_way(rows, columns):
    model = Autoencoder(8, 8)
    latent = model.encode(torch.rand(2, 3, 8 * rows, 8 * columns))
    assert latent.shape == (2, 8, rows, columns)
    assert model.decode(latent).shape == (2, 3, 8 * rows, 8 * columns)


def test_encoding_and_decoding_loses_little(shipped, pictures):
    error = (shipped.autoencoder.decode(shipped.autoencoder.encode(pictures)) - pictures) ** 2
    assert (-10 * error.mean((1, 2, 3)).log10()).min() > 30


def test_the_latents_of_scenes_have_about_unit_variance(shipped, scenes):
    latent = shipped.autoencoder.encode(scenes.picture.float() / 255)
    spread = latent.transpose(0, 1).flatten(1).std(1)
    assert spread.min() > 0.5
    assert spread.max() < 2


def test_whitening_is_undone_by_decoding(pictures):
    model = Autoencoder(8, 8)
    plain = model.decode(model.encode(pictures))
    model.mean += torch.arange(8) / 4
    model.scale *= 3
    torch.testing.assert_close(model.decode(model.encode(pictures)), plain, rtol=0, atol=1e-4)


def test_whitening_divides_by_the_spread_after_taking_the_mean_off(pictures):
    model = Autoencoder(8, 8)
    raw = model.encode(pictures)
    model.mean.fill_(2.0)
    model.scale.fill_(4.0)
    torch.testing.assert_close(model.encode(pictures), (raw - 2) / 4)


def test_decoded_pictures_stay_in_0_to_1(shipped, noise):
    decoded = shipped.autoencoder.decode(5 * noise(1, 8, 16, 16))
    assert decoded.min() >= 0
    assert decoded.max() <= 1


def test_samples_of_a_batch_do_not_see_each_other(shipped, pictures):
    both = shipped.autoencoder.decode(shipped.autoencoder.encode(pictures))
    alone = shipped.autoencoder.decode(shipped.autoencoder.encode(pictures[:1]))
    torch.testing.assert_close(both[:1], alone, rtol=0, atol=1e-5)


def test_the_preview_has_the_colours_of_the_decoded_picture(shipped, scenes):
    pictures = scenes.picture[:6].float() / 255
    latent = shipped.autoencoder.encode(pictures)
    factors = shipped.autoencoder.preview_factors()
    preview = torch.einsum("bchw,cr->brhw", latent, factors[:8]) + factors[8][:, None, None]
    wanted = torch.nn.functional.avg_pool2d(shipped.autoencoder.decode(latent), 8) * 2 - 1
    for channel in range(3):
        pair = torch.stack([preview[:, channel].flatten(), wanted[:, channel].flatten()])
        assert torch.corrcoef(pair)[0, 1] > 0.6


def test_the_preview_of_the_linear_path_alone_is_exact(noise):
    model = Autoencoder(8, 8)
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.zero_()
        model.mean.copy_(noise(8))
        model.scale.copy_(noise(8).abs() + 0.5)
    latent = noise(2, 8, 4, 4)
    raw = latent * model.scale[:, None, None] + model.mean[:, None, None]
    painted = model.reconstruct(raw).detach() * 2 - 1
    factors = model.preview_factors()
    preview = torch.einsum("bchw,cr->brhw", latent, factors[:8]) + factors[8][:, None, None]
    wanted = torch.nn.functional.avg_pool2d(painted, 8)
    torch.testing.assert_close(preview, wanted, rtol=0, atol=1e-5)
