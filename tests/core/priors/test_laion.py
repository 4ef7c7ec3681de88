"""The two ways DALLE2-pytorch samples, against formulas and exact answers."""

import math
from dataclasses import replace
from functools import partial

import pytest
import torch
import torch.nn.functional as F

from mm_core.errors import InputError
from mm_core.priors.dalle2 import OLDEST, RULES, Dalle2Network
from mm_core.priors.laion import LaionPrior, ancestral_loop, ddim_loop, guided
from mm_core.priors.prior import PriorText, Request
from mm_core.priors.unclip import cosine_table

TABLE = cosine_table(1000, torch.float64)


def gaussian(x, t):
    """The exact prediction of clean data with mean 2 and deviation 1/2."""
    ab = TABLE.kept[t]
    return 2 + ab.sqrt() / 4 / (ab / 4 + 1 - ab) * (x - 2 * ab.sqrt())


def test_all_steps_give_the_gaussian_s_mean_and_deviation():
    rng = torch.Generator().manual_seed(0)
    found = ancestral_loop(
        gaussian, lambda: torch.randn(4000, 1, dtype=torch.float64, generator=rng), TABLE
    )
    assert float(found.mean()) == pytest.approx(2.0, abs=0.03)
    assert float(found.std()) == pytest.approx(0.5, abs=0.02)


def test_ddim_starts_below_the_last_timestep_and_ends_at_the_prediction():
    """linspace(-1, T, n + 1) without its end, cut to whole numbers."""
    times = []

    def predict(x, t):
        times.append(t)
        return torch.full_like(x, 7.0)

    table = cosine_table(100, torch.float64)
    found = ddim_loop(predict, lambda: torch.zeros(1, 1), table, 10)
    assert times == [89, 79, 69, 59, 49, 39, 29, 19, 9]
    assert torch.equal(found, torch.full((1, 1), 7.0))


def test_ddim_without_noise_is_its_formula():
    table, start = cosine_table(10, torch.float64), torch.ones(1, 1, dtype=torch.float64)
    found = ddim_loop(lambda x, t: x / 2, lambda: start, table, 5, eta=0.0)
    kept = [1.0, *table.kept.tolist()]  # kept[t] is what is left before timestep t
    x = 1.0
    for t, then in ((7, 5), (5, 3), (3, 1), (1, -1)):
        x0 = x / 2
        here = float(table.kept[t])
        noise = (x - math.sqrt(here) * x0) / math.sqrt(1 - here)
        x = math.sqrt(kept[then]) * x0 + math.sqrt(1 - kept[then]) * noise if then >= 0 else x0
    assert float(found) == pytest.approx(x)


def test_noise_is_drawn_between_steps_and_never_at_the_end():
    for loop, expected in (
        (lambda draw, table: ancestral_loop(lambda x, t: x, draw, table), 10),
        (lambda draw, table: ddim_loop(lambda x, t: x, draw, table, 5), 4),
        (lambda draw, table: ddim_loop(lambda x, t: x, draw, table, 5, eta=0.0), 1),
    ):
        drawn = []
        loop(lambda d=drawn: d.append(1) or torch.zeros(1, 1), cosine_table(10, torch.float64))
        assert len(drawn) == expected


def test_guidance_moves_away_from_the_nulls_or_from_a_negative_text(laion, texts, noise):
    net, x, text, negative = laion.network, noise(2, 24), texts(2), texts(2, seed=4)
    t = torch.full((2,), 30)
    with torch.no_grad():
        given, null = net(x, t, text), net(x, t, text, without=True)
        against = net(x, t, negative)
        torch.testing.assert_close(guided(net, text, 2.0)(x, 30), null + 2 * (given - null))
        torch.testing.assert_close(
            guided(net, text, 2.0, negative)(x, 30), against + 2 * (given - against)
        )


@pytest.mark.parametrize("told", [True, False])
def test_whole_trajectories_are_those_of_a_text_read_at_every_step(laion, texts, told):
    net, text, negative = laion.network, texts(2), texts(2, seed=4) if told else None

    def read_anew(x, t):
        time = torch.full((2,), t)
        given = net(x, time, text)
        without = net(x, time, negative if told else text, without=not told)
        return without + 2 * (given - without)

    found = []
    for predict in (read_anew, guided(net, text, 2.0, negative)):
        rng = torch.Generator().manual_seed(8)
        with torch.inference_mode():
            draw = partial(torch.randn, 2, 24, generator=rng)
            found.append(ancestral_loop(predict, draw, laion.table))
    torch.testing.assert_close(found[1], found[0], rtol=0, atol=1e-4)


def test_texts_are_read_once_for_all_steps_and_nothing_told_is_one_row(laion, texts):
    seen = []
    laion.network.causal_transformer.layers[0][0].register_forward_pre_hook(
        lambda m, given: seen.append(tuple(given[0].shape[:2]))
    )
    laion.sample(texts(1), Request((1, 2, 3), 3, 2.0))
    assert seen == [(1, 8), (1, 8), *[(3, 3), (1, 3)] * 2]


def test_runs_that_take_turns_on_one_prior_do_not_influence_each_other(laion, texts, noise):
    net, xs = laion.network, [(noise(2, 24), t) for t in (49, 20, 0)]
    with torch.no_grad():
        alone = []
        for seed in (0, 4):
            predict = guided(net, texts(2, seed=seed), 2.0)
            alone.append([predict(x, t) for x, t in xs])
        first, second = (guided(net, texts(2, seed=s), 2.0) for s in (0, 4))
        turns = [(first(x, t), second(x, t)) for x, t in xs]
    assert all(torch.equal(a, b) for a, (b, _) in zip(alone[0], turns, strict=True))
    assert all(torch.equal(a, b) for a, (_, b) in zip(alone[1], turns, strict=True))
    assert not torch.equal(alone[0][0], alone[1][0])


def test_embeddings_have_length_1_and_the_sentence_s_length_is_not_read(laion, texts):
    text = texts(2)
    long = PriorText(9 * text.pooled, text.tokens, text.mask)
    found = laion.sample(text, Request((1, 2), 8, 1.5))
    assert found.unit
    torch.testing.assert_close(found.vectors.norm(dim=1), torch.ones(2))
    again = laion.sample(long, Request((1, 2), 8, 1.5)).vectors
    torch.testing.assert_close(found.vectors, again, rtol=1e-4, atol=1e-5)


def test_more_steps_than_in_training_are_refused(laion, texts):
    with pytest.raises(InputError, match="trained with 50 steps, asked for 51; choose 50 or fewer"):
        laion.sample(texts(1), Request((1,), 51))
    laion.sample(texts(1), Request((1,), 50))


def test_the_mean_is_one_step_from_the_last_of_training_at_length_1(laion, texts):
    text, last = texts(1), torch.full((1,), 49)
    found = laion.sample(text, Request((3,), 1000, 1.0, "mean"))  # more steps than it has
    x = torch.randn(1, 24, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        unit = PriorText(F.normalize(text.pooled, dim=-1), text.tokens, text.mask)
        expected = F.normalize(laion.network(x, last, unit), dim=-1)
    torch.testing.assert_close(found.vectors, expected)
    assert found.unit


def test_a_prior_that_masks_what_is_dropped_keeps_each_image_its_noise(laion, stir, texts, noise):
    """As 0.15.4 has it: nothing told is the same network with no text seen, for each noise."""
    net = stir(Dalle2Network(replace(laion.network.sizes, nulls="none", rule=RULES[OLDEST])))
    x, text, t = noise(3, 24), texts(3), torch.full((3,), 30)
    given, dropped = net(x, t, text), net(x, t, text, without=True)
    found = guided(net, text, 3.0)(x, 30)
    torch.testing.assert_close(found, dropped + 3 * (given - dropped), rtol=1e-4, atol=1e-4)


def test_guidance_is_refused_where_no_text_was_dropped_in_training(laion, stir, texts):
    network = stir(Dalle2Network(replace(laion.network.sizes, nulls="padding")))
    prior = LaionPrior(network, laion.space, laion.table, "a.safetensors")
    with pytest.raises(InputError, match=r"a\.safetensors was trained without .* guidance 2 has"):
        prior.sample(texts(1), Request((1,), 4, 2.0))
    prior.sample(texts(1), Request((1,), 4, 1.0))
    prior.sample(texts(1), Request((1,), 4, 2.0), texts(1, seed=4))
