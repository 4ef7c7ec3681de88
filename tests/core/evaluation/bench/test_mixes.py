"""Ways between embeddings: their evenness by hand, and what the command shows of them."""

import pytest
import torch

from mm_core.embedded.prior import load_priors
from mm_core.embedded.scenes.attributes import FAMILIES
from mm_core.evaluation.bench import mixes, priors
from mm_core.evaluation.bench.mixes import compare, evenness, other_ground, steps


def test_equal_steps_are_even_and_a_jump_is_one_step():
    even = torch.linspace(0, 1, 7)[None, :, None, None, None].expand(1, 7, 3, 4, 4)
    jump = (even > 0.5).float()
    way = torch.tensor([[2.0, 0.0]])
    onward = torch.stack([torch.arange(7.0), torch.zeros(7)], 1)[None]
    back = onward * torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0])[None, :, None]
    assert evenness(even, onward, way)["largest"]["value"] == pytest.approx(1 / 6, abs=1e-4)
    assert evenness(even, onward, way)["forward"]["value"] == 1
    assert evenness(jump, back, way)["largest"]["value"] == 1
    assert evenness(jump, back, way)["forward"]["value"] == pytest.approx(5 / 6, abs=1e-4)


def test_forward_is_along_the_way_and_not_against_it():
    """From one side of the origin to the other, along a way that falls in its first number."""
    shown = torch.rand(2, 7, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    along = torch.stack([torch.arange(3.0, -4.0, -1.0), torch.zeros(7)], 1)
    way = torch.tensor([[-2.0, 1.0]])
    assert evenness(shown[:1], along[None], way)["forward"]["value"] == 1
    assert evenness(shown[:1], along.flip(0)[None], way)["forward"]["value"] == 0
    both = torch.stack([along, along.flip(0)])
    assert evenness(shown, both, way.repeat(2, 1))["forward"]["value"] == 0.5


def test_the_other_ground_differs_in_its_family_alone(scenes):
    origin, other, target = other_ground(scenes.style)
    for i, (a, b) in enumerate(zip(origin, other, strict=True)):
        assert a.split()[:-1] == b.split()[:-1]
        assert a.split()[-1] == FAMILIES[int(scenes.style.family[i])]
        assert b.split()[-1] == FAMILIES[int(target[i])] != a.split()[-1]


def test_ways_start_and_end_at_their_pictures_and_all_is_told(shipped, oracle, monkeypatch):
    monkeypatch.setattr(priors, "PAINT_STEPS", 2)
    monkeypatch.setattr(mixes, "PLACES", (0.0, 0.5, 1.0))
    ticks = []
    found, rows = compare(shipped, load_priors()[0], oracle, 24, lambda: ticks.append(1))
    assert len(ticks) == steps(24)
    assert found["pairs"] == 6
    shown = dict(rows[:1] + rows[2:3])
    assert shown.keys() == {"lerp", "slerp"}
    for place in (1, 3):  # the first and last place, between the two pictures
        a, b = (shown[way][place][1] for way in ("lerp", "slerp"))
        torch.testing.assert_close(a, b, rtol=0, atol=2e-3)
    assert [w["name"] for w in found["words"]] == [
        "text difference",
        "difference of the prior's means",
    ]
    before = [w["palette_before"]["value"] for w in found["words"]]
    assert before[0] == pytest.approx(before[1], abs=1e-3)  # both start at the pictures themselves
    assert [len(tiles) for _, tiles in rows] == [5] * 4 + [4] * 2
