"""The methods on the embedded model: the bars of rows and distance, and the same loop as ours."""

import pytest
import torch

from mm_core.embedded.generate import Settings, generate
from mm_core.evaluation.bench import embedded
from mm_core.evaluation.bench.embedded import (
    Batch,
    batches,
    compare,
    decibels,
    error,
    keep_by_space,
    the_program,
    time_side_by_side,
)
from mm_core.evaluation.bench.methods import METHODS
from mm_core.guidance.speed import at_speed

METHOD = {m.name: m for m in METHODS}


@pytest.fixture(scope="module")
def pair(shipped):
    """Two scenes, 25 steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded, "GROUP", 2)
        return batches(shipped, 4, 25)[1][1]


@pytest.fixture(scope="module")
def exact(pair):
    return pair.sample(METHOD["exact"].start(the_program(), "velocity"))


@pytest.mark.parametrize(("name", "rows"), [("balanced", 2.2), ("fast", 1.35)])
def test_five_inputs_cost_few_rows_and_stay_close(pair, exact, name, rows):
    """Bars: balanced 2.2 rows and 35 dB, fast 1.35 rows; docs/benchmarks.md has many scenes."""
    picture, ran, calls = pair.sample(METHOD[name].start(the_program(), "velocity"))
    assert (exact[1], exact[2], calls) == (6.0, 1.0, 1.0)
    assert ran <= rows
    assert decibels(error(picture, exact[0])) >= {"balanced": 35.0, "fast": 28.0}[name]


def test_a_run_here_is_a_run_of_the_product_bit_for_bit(shipped, pair):
    short = Batch(shipped, pair.encoded, pair.null, Settings(steps=4, seed=3, batch=2))
    for name in ("exact", "fast"):
        program, effort = at_speed(the_program(), name)
        ours = short.sample(METHOD[name].start(the_program(), "velocity"))[0]
        product, _ = generate(
            shipped, program, pair.encoded, pair.null, short.settings, effort=effort
        )
        assert torch.equal(ours, product)


def test_decibels_are_the_mean_of_pictures_and_none_for_the_same():
    a = torch.zeros(2, 3, 4, 4)
    b = a.clone()
    b[0], b[1] = 0.1, 0.01
    assert decibels(error(a, b)) == pytest.approx((20 + 40) / 2)
    assert decibels(error(a, a)) is None


def test_everything_is_told_of_every_method(shipped, oracle, monkeypatch):
    monkeypatch.setattr(embedded, "GROUP", 2)
    steps = []
    found = {m["method"]: m for m in compare(shipped, oracle, 2, 2, lambda: steps.append(1))}
    assert "everywhere" not in found
    assert len(steps) == len(found) == len(METHODS) - 1
    assert found["exact"]["psnr"] is None
    assert found["exact"]["difference"] == (0.0, 0.0)
    assert found["unguided"]["effect"] == pytest.approx(1.0)
    assert found["independent"]["rows"] == 6
    assert all(0 < m["adherence"] < 100 for m in found.values())


def test_time_is_told_as_a_share_of_joint_guidance(shipped, monkeypatch):
    monkeypatch.setattr(embedded, "GROUP", 1)
    steps = []
    times = time_side_by_side(shipped, 1, 2, lambda: steps.append(1))
    assert times["joint"] == (1.0, 1.0, 1.0)
    assert all(0 < low <= middle <= high for middle, low, high in times.values())
    assert len(steps) == 2 * len(times)


def test_how_long_differences_last_is_told_by_space_and_input(shipped, monkeypatch):
    monkeypatch.setattr(embedded, "GROUP", 1)
    found = keep_by_space(shipped, 5)
    assert [line["space"] for line in found] == ["x0", "velocity", "eps"]
    for line in found:
        assert line["changes"].keys() == {1, 2, 3}
        assert line["changes"][1].keys() == set(embedded.INPUTS)
        assert line["paced"].keys() == {2, 3}
