"""Sums by group of scenes against the measures of those scenes alone."""

import math

import pytest
import torch

from mm_core.embedded.scenes.dataset import GROUP, take
from mm_core.evaluation.bench.tally import (
    NAMES,
    PALETTE,
    Tally,
    by_group,
    everything,
    figures,
    interval,
    resamples,
    scene_of_cases,
    text_and_style,
)
from mm_core.evaluation.measures import measure, read


def test_each_group_has_the_cases_of_its_own_scenes(oracle, case):
    """Shown pictures of other scenes, so that many cases are wrong."""
    shown = case.picture.roll(5, 0)
    found = Tally.of(read(oracle, shown), case.truth)
    assert found.total.shape == (len(case) // GROUP, len(NAMES))
    for g in range(len(case) // GROUP):
        part = slice(GROUP * g, GROUP * (g + 1))
        alone = measure(read(oracle, shown[part]), take(case.truth, part))
        assert found.count[g].tolist() == [len(alone[name]) for name in NAMES]
        sums = [float(alone[name].sum()) for name in NAMES]
        assert found.total[g].tolist() == pytest.approx(sums, abs=1e-3)


def test_there_is_a_scene_for_each_case(reading, case):
    found, scenes = measure(reading, case.truth), scene_of_cases(case.truth.content)
    assert scenes.keys() == set(NAMES)
    assert all(len(scenes[name]) == len(found[name]) for name in NAMES)


def test_means_are_over_cases_and_not_over_groups():
    tally = Tally(torch.tensor([[1.0] * 5, [3.0] * 5]), torch.tensor([[1.0] * 5, [5.0] * 5]))
    assert tally.means(everything(2))[0].tolist() == pytest.approx([4 / 6] * 5)
    assert tally.means(torch.tensor([[1, 1]]))[0].tolist() == pytest.approx([3 / 5] * 5)
    assert Tally(torch.zeros(1, 5), torch.zeros(1, 5)).means(everything(1)).tolist() == [[0] * 5]


def test_tallies_of_several_sets_are_put_one_after_another():
    one, two = (Tally(torch.full((k, 5), float(k)), torch.ones(k, 5)) for k in (1, 2))
    assert Tally.joined([one, two]).total[:, 0].tolist() == [1, 2, 2]


def test_text_is_the_mean_of_three_measures_and_style_the_family():
    means = torch.zeros(1, len(NAMES))
    means[0, :3], means[0, 3] = torch.tensor([1.0, 0.8, 0.6]), 0.9
    means[0, NAMES.index(PALETTE)] = 0.5
    text, style = text_and_style(means)
    assert (float(text), float(style)) == (pytest.approx(80), pytest.approx(90))


def test_the_interval_of_many_groups_is_the_normal_one(rng):
    values = torch.randn(400, 1, generator=rng, dtype=torch.float64).expand(-1, 5)
    drawn = Tally(values, torch.ones_like(values)).means(resamples(400))[:, 0]
    low, high = interval(drawn)
    error = 1.96 * float(values[:, 0].std()) / math.sqrt(400)
    assert (high - low) / 2 == pytest.approx(error, rel=0.1)
    assert (high + low) / 2 == pytest.approx(float(values[:, 0].mean()), abs=error / 5)


def test_figures_are_means_and_their_differences_scene_by_scene(rng):
    """What all scenes have in common is no part of the difference's interval."""
    own = torch.randn(200, 1, generator=rng, dtype=torch.float64).expand(-1, 5)
    ones = torch.ones_like(own)
    one, other = Tally(own + 2, ones), Tally(own, ones)
    plain, more = figures(one)[PALETTE], figures(one, other)[PALETTE]
    assert plain["value"] == pytest.approx(float(own.mean()) + 2)
    assert plain["interval"] == pytest.approx(
        1.96 * float(own[:, 0].std()) / math.sqrt(200), rel=0.1
    )
    assert more == {"value": pytest.approx(2), "interval": pytest.approx(0, abs=1e-9)}


def test_scenes_of_a_group_count_once():
    wide = by_group(torch.tensor([0.0] * 4 + [2.0] * 4))
    assert wide["n"] == 2
    assert wide["interval"] == pytest.approx(1.96)  # a deviation of sqrt(2) over sqrt(2) groups
