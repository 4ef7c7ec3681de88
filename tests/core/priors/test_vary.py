"""Noise on embeddings against the schedule's closed form."""

import math

import pytest
import torch
import torch.nn.functional as F

from mm_core.errors import InputError
from mm_core.priors.space import CLIP_BIGG, ImageEmbedding
from mm_core.priors.vary import varied

LENGTH = 20.0


def picture(count=1):
    rng = torch.Generator().manual_seed(10**6)  # no seed that a test draws noise from
    drawn = F.normalize(torch.randn(count, CLIP_BIGG.width, generator=rng))
    return ImageEmbedding(LENGTH * drawn, CLIP_BIGG)


def test_without_variety_every_image_has_the_embedding_itself():
    one = picture()
    assert torch.equal(varied(one, 0.0, [1, 2, 3]).vectors, one.vectors.expand(3, -1))


@pytest.mark.parametrize("share", [0.1, 0.3, 0.7])
def test_it_is_as_near_as_the_schedule_says_and_as_long_as_it_was(share):
    """In 1280 dimensions noise is nearly orthogonal; the cosine is the share of signal left."""
    one = picture()
    made = varied(one, share, range(64)).vectors
    cosine = F.cosine_similarity(made, one.vectors).mean()
    # Nichol and Dhariwal's continuous schedule, at the end of the step.
    kept = math.cos((share + 0.008) / 1.008 * math.pi / 2)
    assert cosine == pytest.approx(kept, abs=0.01)
    assert made.norm(dim=1).mean() == pytest.approx(LENGTH, rel=0.01)


def test_at_full_variety_nothing_is_left():
    one = picture()
    cosine = F.cosine_similarity(varied(one, 1.0, range(64)).vectors, one.vectors)
    assert cosine.abs().mean() < 0.05


def test_an_images_noise_is_its_seeds_alone():
    one, made = picture(), varied(picture(), 0.4, [5, 6, 7]).vectors
    assert torch.equal(varied(one, 0.4, [6]).vectors[0], made[1])
    assert not torch.allclose(made[0], made[1])


def test_each_picture_has_a_variation_of_its_own():
    three = picture(3)
    made = varied(three, 0.2, [1, 2, 3]).vectors
    near = F.cosine_similarity(made[:, None], three.vectors[None], dim=2)
    assert near.argmax(1).tolist() == [0, 1, 2]


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5004, 0.9])
def test_noise_is_as_long_as_each_picture_and_of_the_nearest_level(share):
    """What the closed form of the rounded level leaves over is sqrt(1 - ab) of the length."""
    lengths = torch.tensor([[3.0], [20.0], [50.0]])
    three = ImageEmbedding(lengths / LENGTH * picture(3).vectors, CLIP_BIGG)
    made = varied(three, share, [1, 2, 3]).vectors
    at = (math.floor(999 * share + 0.5) + 1) / 1000

    def f(t):
        return math.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2

    kept = f(at) / f(0)
    left = (made - kept**0.5 * three.vectors).norm(dim=1, keepdim=True)
    torch.testing.assert_close(left, (1 - kept) ** 0.5 * lengths, rtol=1e-4, atol=0)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.8])
@pytest.mark.parametrize("unit", [True, False])
def test_what_has_length_1_keeps_it_and_says_so(share, unit):
    given = picture(2)
    if unit:
        given = ImageEmbedding(given.vectors / LENGTH, given.space, unit=True)
    found = varied(given, share, [1, 2])
    assert found.unit is unit
    if unit:
        torch.testing.assert_close(found.vectors.norm(dim=1), torch.ones(2))


@pytest.mark.parametrize("seeds", [[], [-1], [2**64], [3, -1]])
def test_seeds_are_those_of_a_request(seeds):
    with pytest.raises(InputError, match=r"seeds are .*; needed some between 0 and 2\^64 - 1"):
        varied(picture(), 0.3, seeds)
    assert len(varied(picture(), 0.3, [2**64 - 1])) == 1


@pytest.mark.parametrize(
    ("count", "share", "words"),
    [(1, 1.5, "variety is 1.5; it must be between 0 and 1"),
     (3, 0.1, "3 image embeddings for 2 images; give one, or as many")],
)  # fmt: skip
def test_what_cannot_be_varied_is_refused(count, share, words):
    with pytest.raises(InputError, match=words):
        varied(picture(count), share, [1, 2])
