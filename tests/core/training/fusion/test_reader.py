"""A fitted block uses both its inputs."""

import math

import pytest
import torch

from mm_core.embedded.scenes.attributes import COLORS, FAMILIES, SHAPES
from mm_core.evaluation.cases import HELD_OUT_SEED
from mm_core.training.embedded.loop import Budget
from mm_core.training.fusion.inputs import make_inputs
from mm_core.training.fusion.reader import (
    PARTS,
    dropped,
    fit_reader,
    losses,
    reading_loss,
)


def test_answers_that_say_nothing_cost_the_logarithm_of_the_choices(few):
    found = reading_loss(torch.zeros(64, sum(PARTS)), few.content, few.look)
    palette = (few.look.palette() - 0.5).abs().mean()
    expected = sum(math.log(len(names)) for names in (COLORS, SHAPES, FAMILIES)) + 4 * palette
    torch.testing.assert_close(found, expected)


def test_right_answers_cost_nothing(few):
    answers = [
        30.0 * torch.eye(len(COLORS))[few.content.color[:, 0]],
        30.0 * torch.eye(len(SHAPES))[few.content.shape[:, 0]],
        30.0 * torch.eye(len(FAMILIES))[few.look.family],
        few.look.palette().clamp(1e-6, 1 - 1e-6).logit(),
    ]
    assert reading_loss(torch.cat(answers, 1), few.content, few.look) < 1e-4


def test_scenes_without_an_object_are_not_asked_for_one(few):
    answers, nobody = torch.zeros(64, sum(PARTS)), ~few.content.has[:, 0]
    wrong = answers.clone()
    wrong[nobody, : PARTS[0]] = torch.linspace(-9, 9, PARTS[0])
    assert nobody.any()
    assert torch.equal(
        reading_loss(wrong, few.content, few.look), reading_loss(answers, few.content, few.look)
    )


def test_an_input_is_dropped_in_some_whole_samples_the_same_ones_for_a_step(few):
    found = dropped(few.text, 3, 0)
    gone = ~found.mask.any(1)
    assert 0 < gone.sum() < 40
    assert torch.equal(found.mask[~gone], few.text.mask[~gone])
    assert torch.equal(found.mask, dropped(few.text, 3, 0).mask)
    assert not torch.equal(found.mask, dropped(few.text, 3, 1).mask)


def test_after_a_short_fit_either_input_is_missed(few, quiet, tmp_path):
    reader = fit_reader(few, "gated", Budget(40), tmp_path / "fit.safetensors", quiet)
    found = losses(reader, few)
    assert found["without text"] > found["both"] + 0.3
    assert found["without style"] > found["both"] + 0.3


@pytest.fixture(scope="module")
def many(shipped):
    return make_inputs(shipped, 4096, seed=0), make_inputs(shipped, 256, HELD_OUT_SEED)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "settings"),
    [("gated", {}), ("gated", {"per_token": True}), ("flamingo", {"layers": 1})],
    ids=["gated", "gated by token", "flamingo"],
)
def test_after_two_minutes_either_input_is_missed_in_scenes_never_seen(
    many, quiet, tmp_path, capsys, kind, settings
):
    budget = Budget(4000, minutes=2.0)
    reader = fit_reader(many[0], kind, budget, tmp_path / "fit.safetensors", quiet, settings)
    found = losses(reader, many[1])
    with capsys.disabled():
        print("\n" + ", ".join(f"{name} {loss:.3f}" for name, loss in found.items()))  # noqa: T201
    assert found["without text"] > found["both"] + 1
    assert found["without style"] > found["both"] + 1
