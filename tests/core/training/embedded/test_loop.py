"""The loop: schedule and average by their formulas, and a resumed run that nobody can tell."""

import signal

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from mm_core.training.embedded.loop import Budget, Schedule, Trainer, steps_done

STEPS = 12


@pytest.fixture
def quiet():
    return lambda line: None


def linear():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))


def losses(model, stop_at=None):
    def step_loss(step, spent):
        if step == stop_at:
            raise KeyboardInterrupt
        rng = torch.Generator().manual_seed(step)
        x = torch.randn(8, 3, generator=rng)
        return (model(x) - x.sum(1, keepdim=True)).square().mean()

    return step_loss


def trainer(model, path, report, steps=STEPS, **schedule):
    return Trainer(model, Schedule(1e-2, warmup=4, **schedule), Budget(steps), path, report)


def trained(path, report):
    model = linear()
    trainer(model, path, report).run(losses(model))
    return model


@pytest.mark.parametrize("stop_at", [0, 1, 7, STEPS - 1])
def test_a_run_that_was_stopped_and_resumed_equals_an_unbroken_one_bit_for_bit(
    tmp_path, quiet, stop_at
):
    unbroken = trained(tmp_path / "unbroken", quiet)
    model = linear()
    with pytest.raises(KeyboardInterrupt):
        trainer(model, tmp_path / "a", quiet).run(losses(model, stop_at))
    assert steps_done(tmp_path / "a") == stop_at
    resumed = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))  # other weights
    trainer(resumed, tmp_path / "a", quiet).run(losses(resumed))
    for name, value in unbroken.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value)
    last, other = load_file(tmp_path / "unbroken"), load_file(tmp_path / "a")
    assert last.keys() == other.keys()
    assert all(torch.equal(last[k], other[k]) for k in last if k != "clock")


@pytest.fixture
def ctrl_c():
    """Ctrl-C raises KeyboardInterrupt, also in a background job, which ignores it at first."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_of_a_step_waits_for_its_end(tmp_path, quiet, number):
    unbroken = trained(tmp_path / "unbroken", quiet)
    model = linear()
    inner = losses(model)

    def interrupted(step, spent):
        loss = inner(step, spent)  # the batch norm has counted this batch already
        if step == 5:
            signal.raise_signal(number)
        return loss

    with pytest.raises(KeyboardInterrupt):
        trainer(model, tmp_path / "a", quiet).run(interrupted)
    assert steps_done(tmp_path / "a") == 6
    resumed = linear()
    trainer(resumed, tmp_path / "a", quiet).run(losses(resumed))
    for name, value in unbroken.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)  # the usual handler is back


def test_a_finished_run_is_not_trained_further(tmp_path, quiet):
    first = trained(tmp_path / "a", quiet)
    again = linear()
    trainer(again, tmp_path / "a", quiet).run(losses(again, stop_at=STEPS))
    assert torch.equal(again[0].weight, first[0].weight)
    assert not again.training


def test_the_average_is_that_of_its_formula(tmp_path, quiet):
    model = nn.Linear(1, 1, bias=False)
    seen = [model.weight.detach().double().clone()]
    keep = trainer(model, tmp_path / "a", quiet, steps=5, average=0.25)

    def step_loss(step, spent):
        if step:
            seen.append(model.weight.detach().double().clone())
        return (model(torch.ones(1, 1)) - 5).square().sum()

    keep.run(step_loss, save_every=0.0)
    seen.append(load_file(tmp_path / "a")["model.weight"].double())
    average = seen[0]
    for step, weight in enumerate(seen[1:], 1):
        share = min(0.25, step / (step + 10))
        average = share * average + (1 - share) * weight
    torch.testing.assert_close(model.weight.detach().double(), average, rtol=1e-5, atol=1e-6)


def test_the_rate_warms_up_stays_and_goes_down_to_two_percent():
    schedule = Schedule(0.1, warmup=10, decay=0.5)
    assert schedule.rate(0, 0.0) == pytest.approx(0.01)
    assert schedule.rate(9, 0.1) == pytest.approx(0.1)
    assert schedule.rate(500, 0.5) == pytest.approx(0.1)
    assert schedule.rate(900, 0.75) == pytest.approx(0.1 * 0.52)
    assert schedule.rate(1000, 1.0) == pytest.approx(0.002)


def test_the_first_step_of_adam_is_its_rate_against_the_sign_of_the_gradient(tmp_path, quiet):
    model = nn.Linear(1, 1, bias=False)
    before = model.weight.item()
    trainer(model, tmp_path / "a", quiet, steps=1, weight_decay=0.0).run(
        lambda step, spent: 3 * model.weight.sum()
    )
    after = load_file(tmp_path / "a")["model.weight"].item()
    assert after == pytest.approx(before - 1e-2 / 4, abs=1e-6)  # the first of four warm-up steps


def test_a_run_leaves_the_model_ready_to_use(tmp_path, quiet):
    assert not trained(tmp_path / "a", quiet).training


def test_a_budget_in_minutes_ends_a_run(tmp_path, quiet):
    model = linear()
    Trainer(model, Schedule(1e-2), Budget(10**9, 0.001), tmp_path / "a", quiet).run(losses(model))
    assert 0 < steps_done(tmp_path / "a") < 10**6


def test_progress_is_reported_every_twenty_steps(tmp_path):
    told, model = [], linear()
    trainer(model, tmp_path / "a", told.append, steps=45).run(losses(model))
    assert [line.split()[2] for line in told] == ["20", "40"]
