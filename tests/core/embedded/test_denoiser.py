"""The denoiser: what is absent is silent bit for bit, and rows may share a batch."""

import pytest
import torch

from mm_core.embedded.denoiser import Denoiser, Widths, fit

OPTIONAL = ("style", "audio", "fine", "coarse")


@pytest.fixture(scope="module")
def model(shipped):
    return shipped.denoiser


@pytest.fixture
def inputs(noise):
    return {
        "x": noise(2, 8, 16, 16),
        "timesteps": torch.tensor([900.0, 300.0]),
        "context": noise(2, 24, 128),
        "style_tokens": noise(2, 16, 128),
        "style_gain": torch.ones(2, 1, 1, 1),
        "audio_tokens": noise(2, 8, 128),
        "audio_gain": torch.ones(2, 1, 1, 1),
        "fine_residual": noise(2, 48, 16, 16),
        "coarse_residual": noise(2, 112, 8, 8),
    }


def silenced(inputs, name):
    key = f"{name}_gain" if name in ("style", "audio") else f"{name}_residual"
    return {**inputs, key: torch.zeros_like(inputs[key])}


def without(inputs, *names):
    return {k: v for k, v in inputs.items() if not k.startswith(names)}


@pytest.mark.parametrize("name", OPTIONAL)
def test_an_input_of_gain_0_is_as_good_as_absent_bit_for_bit(model, inputs, name):
    assert torch.equal(model(**silenced(inputs, name)), model(**without(inputs, name)))


def test_all_inputs_silenced_are_as_good_as_none_bit_for_bit(model, inputs):
    silent = inputs
    for name in OPTIONAL:
        silent = silenced(silent, name)
    assert torch.equal(model(**silent), model(**without(inputs, *OPTIONAL)))


@pytest.mark.parametrize("name", OPTIONAL)
def test_every_input_is_heard_when_it_is_there(model, inputs, name):
    assert (model(**inputs) - model(**without(inputs, name))).abs().max() > 1e-3


@pytest.mark.parametrize("name", ["x", "timesteps", "context"])
def test_every_needed_input_is_heard(model, inputs, name):
    changed = {**inputs, name: inputs[name] * 0.5}
    assert (model(**inputs) - model(**changed)).abs().max() > 1e-3


def test_a_gain_counts_for_its_sample_alone(model, inputs):
    first = {**inputs, "style_gain": torch.tensor([0.0, 1.0])[:, None, None, None]}
    out, absent = model(**first), model(**without(inputs, "style"))
    torch.testing.assert_close(out[0], absent[0], rtol=0, atol=1e-5)
    torch.testing.assert_close(out[1], model(**inputs)[1], rtol=0, atol=1e-5)


def test_rows_in_one_batch_are_rows_one_by_one(model, inputs):
    together = model(**inputs)
    for k in range(2):
        alone = model(**{name: value[k : k + 1] for name, value in inputs.items()})
        torch.testing.assert_close(together[k : k + 1], alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (16, 18), (24, 16)])
def test_latents_of_any_size_keep_it(model, inputs, size):
    x = torch.randn(2, 8, *size, generator=torch.Generator().manual_seed(0))
    out = model(**{**inputs, "x": x})
    assert out.shape == x.shape
    assert out.isfinite().all()


def test_padding_repeats_the_border_and_is_cut_off_again(model, inputs, noise):
    odd = noise(2, 8, 6, 16)
    padded = torch.cat([odd, odd[:, :, -1:], odd[:, :, -1:]], 2)
    assert torch.equal(model(**{**inputs, "x": odd}), model(**{**inputs, "x": padded})[:, :, :6])


def test_a_new_denoiser_predicts_nothing():
    x = torch.ones(1, 8, 16, 16)
    out = Denoiser(Widths(16, 16, 16))(x, torch.tensor([500.0]), torch.ones(1, 24, 128))
    assert torch.equal(out, torch.zeros_like(x))


def test_a_map_that_fits_is_left_alone_and_another_is_resized(noise):
    map_, like = noise(1, 3, 8, 8), noise(2, 3, 16, 12)
    assert fit(map_, map_) is map_
    assert fit(map_, like).shape == (1, 3, 16, 12)
    flat = torch.full((1, 3, 8, 8), 0.7)
    torch.testing.assert_close(fit(flat, like), torch.full((1, 3, 16, 12), 0.7))
