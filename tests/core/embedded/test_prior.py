"""The shipped priors, and the space that they share."""

import pytest
import torch
import torch.nn.functional as F

from mm_core.embedded.embeddings import style_embedding
from mm_core.embedded.prior import (
    HEADS,
    PRIORS,
    SHIPPED,
    EmbeddedPriors,
    StyleSpace,
    TextTower,
    load_priors,
    load_space,
    save_priors,
    sentence_as_image,
    style_from_words,
)
from mm_core.embedded.weights import SHIPPED as MODEL
from mm_core.errors import InputError, WeightsError, WordError
from mm_core.priors.prior import PriorText, Request
from mm_core.priors.space import EMBEDDED
from mm_core.weights.header import Header
from mm_core.weights.save import save_tensors


@pytest.fixture(scope="module")
def priors():
    return load_priors()[0]


def test_the_shipped_file_is_small_and_says_how_it_was_made():
    _, header = load_priors()
    assert SHIPPED.stat().st_size < 5_000_000
    assert header.recipe["seed"] >= 0
    assert set(header.recipe["steps_run"]) == {"tower", *PRIORS}
    assert header.figures["held_out_captions"] >= 128


def test_tokens_of_a_picture_come_back_from_its_embedding(shipped, priors, scenes):
    """The space keeps the first 128 of 2048 components: 80 % and more of the variance."""
    tokens = style_embedding(shipped.adapters.style, scenes.small.float() / 255).tokens
    embedding = priors.space.embed(tokens)
    assert embedding.space == EMBEDDED
    back = priors.space.tokens(embedding)
    lost = (back - tokens).square().sum() / (tokens - tokens.mean(0)).square().sum()
    assert lost < 0.2
    again = priors.space.embed(back).vectors
    torch.testing.assert_close(again, embedding.vectors, rtol=1e-2, atol=2e-2)  # half precision


def test_the_space_can_be_had_alone(priors):
    alone = load_space().state_dict()
    assert alone.keys() == priors.space.state_dict().keys()
    assert all(torch.equal(alone[n], t) for n, t in priors.space.state_dict().items())


@pytest.mark.parametrize("name", PRIORS)
def test_words_of_style_lead_to_embeddings_of_that_style(shipped, priors, name):
    """Two captions' embeddings are nearer to their own kind than to each other's."""
    text = priors.encode(shipped.text, ["blue and purple stripes", "yellow and orange dots"])
    request = Request(tuple(range(16)), 10)
    asked = [
        type(text)(text.pooled[k : k + 1], text.tokens[k : k + 1], text.mask[k : k + 1])
        for k in (0, 1)
    ]
    empty = priors.encode(shipped.text, [""])
    a, b = (priors.priors[name].sample(t, request, empty).vectors for t in asked)
    within = torch.stack([F.cosine_similarity(x[:8], x[8:]).mean() for x in (a, b)]).mean()
    across = F.cosine_similarity(a, b).mean()
    assert within > across + 0.3


def test_a_style_of_words_is_one_for_each_seed_whatever_else_is_asked_for(shipped, priors):
    both, alone = (
        style_from_words(priors, shipped.text, "blue stripes", seeds).tokens
        for seeds in ((3, 4), (4,))
    )
    assert both.shape == (2, 16, 128)
    torch.testing.assert_close(both[1:], alone)
    assert float((both[0] - both[1]).std()) > 0.1 * float(both.std())  # samples, not their mean
    with pytest.raises(InputError, match="the style words are empty"):
        style_from_words(priors, shipped.text, " ", (1,))


def test_an_unknown_word_is_named(shipped, priors):
    with pytest.raises(WordError, match="does not know 'plaid'"):
        priors.encode(shipped.text, ["plaid"])


def test_the_sentence_without_a_prior_keeps_its_direction(shipped, priors):
    text = priors.encode(shipped.text, ["red checks"])
    found = sentence_as_image(text, 20.0).vectors
    assert float(found.norm()) == pytest.approx(20.0, rel=1e-5)
    assert float(F.cosine_similarity(found, text.pooled)) == pytest.approx(1.0, rel=1e-5)


def test_the_tower_reads_no_padding(noise):
    tower, tokens = TextTower(), noise(2, 6, 128)
    mask = torch.arange(6)[None] < torch.tensor([[3], [6]])
    spoiled = torch.where(mask[..., None], tokens, 9.0)
    torch.testing.assert_close(tower(tokens, mask).pooled, tower(spoiled, mask).pooled)
    assert tower.layers[0].attn1.heads == HEADS


def test_what_is_saved_is_read_back(shipped, priors, tmp_path):
    save_priors(priors, tmp_path / "a.safetensors", {"seed": 1}, {"x": 2.0})
    loaded, header = load_priors(tmp_path / "a.safetensors")
    assert (header.recipe, header.figures) == ({"seed": 1}, {"x": 2.0})
    for name in PRIORS:
        assert loaded.priors[name].network.sizes == priors.priors[name].network.sizes
        text = loaded.encode(shipped.text, ["green waves"])
        asked = text, Request((3,), 4, 1.0)
        assert torch.equal(
            loaded.priors[name].sample(*asked).vectors, priors.priors[name].sample(*asked).vectors
        )


def test_a_space_of_no_components_gives_the_mean(noise):
    space = StyleSpace()
    space.mean.copy_(noise(2048))
    back = space.tokens(space.embed(noise(3, 16, 128)))
    torch.testing.assert_close(back.flatten(1), space.mean.expand(3, -1))


def test_other_files_are_refused(tmp_path):
    with pytest.raises(WeightsError, match=r"'embedded-model'.* needed kind 'embedded-prior'"):
        load_priors(MODEL)
    save_tensors({}, tmp_path / "a.safetensors", Header("embedded-prior", 1))
    with pytest.raises(WeightsError, match=r"no usable settings .* train the priors again"):
        load_priors(tmp_path / "a.safetensors")


def test_the_parts_travel_together(priors):
    assert isinstance(priors, EmbeddedPriors)
    assert set(priors.priors) == set(PRIORS)
    assert {p.space for p in priors.priors.values()} == {EMBEDDED}


def test_a_refusal_names_the_shipped_prior_as_it_is_chosen():
    loaded = load_priors()[0]
    assert {n: p.source for n, p in loaded.priors.items()} == {n: f"embedded: {n}" for n in PRIORS}
    words = PriorText(torch.zeros(1, 128), torch.zeros(1, 24, 128), torch.ones(1, 24).bool())
    with pytest.raises(
        InputError, match="embedded: autoregressive is autoregressive and has no mean"
    ):
        loaded.priors["autoregressive"].sample(words, Request((1,), solver="mean"))
