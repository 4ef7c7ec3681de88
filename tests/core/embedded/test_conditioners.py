"""What each input becomes: shapes, order, and no mixing of samples."""

import pytest
import torch

from mm_core.embedded.conditioners import (
    AudioEncoder,
    SpatialAdapter,
    StyleEncoder,
    TextEncoder,
)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


MAKERS = {
    "text": (lambda: TextEncoder(30, 24), lambda rng: torch.randint(0, 30, (2, 24), generator=rng)),
    "style": (StyleEncoder, lambda rng: torch.rand(2, 3, 64, 64, generator=rng)),
    "audio": (lambda: AudioEncoder(64), lambda rng: torch.randn(2, 64, 65, generator=rng)),
}
each_encoder = pytest.mark.parametrize(("make", "draw"), MAKERS.values(), ids=MAKERS)


@pytest.mark.parametrize(("name", "count"), [("text", 24), ("style", 16), ("audio", 8)])
def test_every_encoder_gives_its_number_of_tokens(rng, name, count):
    make, draw = MAKERS[name]
    assert make()(draw(rng)).shape == (2, count, 128)


@each_encoder
def test_samples_of_a_batch_do_not_see_each_other(rng, make, draw):
    encoder, x = make(), draw(rng)
    torch.testing.assert_close(encoder(x)[:1], encoder(x[:1]), rtol=0, atol=1e-5)


def test_the_order_of_words_matters():
    encoder = TextEncoder(30, 24)
    tokens = torch.arange(2, 26)[None]
    swapped = tokens.clone()
    swapped[0, [3, 9]] = tokens[0, [9, 3]]
    assert (encoder(tokens)[:, 0] - encoder(swapped)[:, 0]).abs().max() > 1e-3


@pytest.mark.parametrize("frames", [8, 65, 400])
def test_a_sound_of_any_length_is_as_many_tokens(frames):
    assert AudioEncoder(64)(torch.zeros(1, 64, frames)).shape == (1, 8, 128)


@pytest.mark.parametrize("channels", [1, 3, 8])
def test_a_map_is_added_at_both_sizes(channels):
    fine, coarse = SpatialAdapter(channels, 48, 112)(torch.rand(2, channels, 64, 64))
    assert fine.shape == (2, 48, 16, 16)
    assert coarse.shape == (2, 112, 8, 8)


def test_a_map_acts_where_it_is():
    adapter = SpatialAdapter(1, 4, 4)
    flat, spot = torch.zeros(1, 1, 64, 64), torch.zeros(1, 1, 64, 64)
    spot[..., 8:12, 40:44] = 1
    moved = (adapter(flat)[0] - adapter(spot)[0]).abs().amax((0, 1))
    row, column = divmod(moved.argmax().item(), 16)
    assert abs(row - 2) <= 2
    assert abs(column - 10) <= 2
    assert moved[8:, :6].max() == 0
