"""Both priors learn a rotation, and a stopped fit goes on where it was."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from mm_core.priors.prior import Request
from mm_core.priors.space import Space
from mm_core.training.priors.fit import fit_autoregressive, fit_diffusion

FITS = {"diffusion": fit_diffusion, "autoregressive": fit_autoregressive}
SPACE = Space("turned", 8)


def batches(pairs):
    def batch(step, size):
        rng = torch.Generator().manual_seed(step)
        return pairs.rows(torch.randint(len(pairs), (size,), generator=rng))

    return batch


@pytest.mark.parametrize("kind", FITS)
def test_a_short_fit_learns_to_turn_sentences(kind, turned, small, quiet, tmp_path):
    pairs, rotation = turned
    prior = FITS[kind](
        batches(pairs), pairs.vectors, pairs.empty, SPACE, small, tmp_path / "a.st", quiet
    )
    text, _ = pairs.rows(torch.arange(64))
    found = prior.sample(text, Request(tuple(range(64)), 10, 1.0)).vectors
    cosine = F.cosine_similarity(found, text.pooled @ rotation).mean()
    assert cosine > 0.6  # of a random answer 0
    assert F.cosine_similarity(found, text.pooled).mean() < 0.3


@pytest.mark.parametrize("kind", FITS)
def test_a_fit_in_two_parts_is_the_fit_in_one(kind, turned, small, quiet, tmp_path):
    pairs, _ = turned

    def fit(steps, name):
        stage = replace(getattr(small, kind), steps=steps, decay=1e-9)
        recipe = replace(small, **{kind: stage})
        return FITS[kind](
            batches(pairs), pairs.vectors, pairs.empty, SPACE, recipe, tmp_path / name, quiet
        )

    whole = fit(6, "whole").network.state_dict()
    fit(3, "parts")
    from safetensors.torch import load_file, save_file

    state = load_file(tmp_path / "parts")
    state["clock"][2] = 0  # as a stopped run leaves it
    save_file(state, tmp_path / "parts")
    again = fit(6, "parts").network.state_dict()
    for name, value in whole.items():
        assert torch.equal(value, again[name]), name


def test_without_an_empty_text_nothing_is_dropped(turned, small, quiet, tmp_path):
    pairs, _ = turned
    seen = []

    def batch(step, size):
        text, vectors = pairs.rows(torch.arange(size))
        seen.append(text)
        return text, vectors

    stage = replace(small.diffusion, steps=2)
    recipe = replace(small, diffusion=stage, drop=0.99)
    prior = fit_diffusion(batch, pairs.vectors, None, SPACE, recipe, tmp_path / "a", quiet)
    assert all(torch.isfinite(p).all() for p in prior.network.parameters())
    assert len(seen) == 3  # one to look at the shapes
