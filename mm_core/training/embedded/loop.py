"""The training loop every stage uses: budget, warm-up, decay, average of weights, resume."""

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from ...types import Tensor
from ...weights.save import save_tensors
from .muon import Muon

OPTIMIZERS = ("adamw", "muon")
Report = Callable[[str], None]


@dataclass(frozen=True)
class Budget:
    """A stage ends after `steps` steps, or `minutes` of wall time, whichever comes first."""

    steps: int
    minutes: float = float("inf")


@dataclass(frozen=True)
class Schedule:
    """Learning rate: linear warm-up over `warmup` steps, flat, linear decay over the last part."""

    peak: float
    warmup: int = 100
    decay: float = 0.5  # this share of the budget, at its end, goes down to 2 % of the peak
    weight_decay: float = 0.01
    average: float = 0.999  # of the exponential moving average of the weights
    clip: float = 1.0
    optimizer: str = "adamw"

    def rate(self, step: int, spent: float) -> float:
        """spent: share of the budget that is used, 0..1."""
        return (
            self.peak
            * min(1.0, (step + 1) / self.warmup)
            * min(1.0, (1 - spent) / self.decay + 0.02)
        )


class Trainer:
    """Runs one stage. State is on disk after every `save_every` seconds and at the end or Ctrl-C.

    step_loss(step, spent) gives the loss of a step. It must draw from generators seeded by the
    step, so that a resumed run sees what an uninterrupted one would have seen.
    """

    def __init__(
        self, model: nn.Module, schedule: Schedule, budget: Budget, path: Path, report: Report
    ):
        self.model, self.schedule, self.budget = model, schedule, budget
        self.path, self.report = path, report
        self.optimizer = make_optimizer(model, schedule)
        self.average = {k: v.detach().clone() for k, v in model.state_dict().items()}
        self.step, self.seconds, self.done = 0, 0.0, False
        if path.exists():
            self._restore()

    def run(self, step_loss: Callable[[int, float], Tensor], save_every: float = 120.0) -> None:
        """Trains until the budget is spent, then leaves the averaged weights in the model."""
        if not self.done:
            try:
                with StopBetweenSteps() as stop:
                    self._loop(step_loss, save_every, stop)
                self.done = True
            finally:
                self._save()
        self.model.load_state_dict(self.average)
        self.model.eval()

    def _loop(
        self, step_loss: Callable[[int, float], Tensor], save_every: float, stop: "StopBetweenSteps"
    ) -> None:
        started, saved = time.monotonic() - self.seconds, time.monotonic()
        smooth: float | None = None
        while (spent := self._spent()) < 1:
            stop.raise_if_asked()
            loss = step_loss(self.step, spent)
            self._update(loss, spent)
            value = float(loss.detach())
            smooth = value if smooth is None else 0.98 * smooth + 0.02 * value
            self.seconds = time.monotonic() - started
            if self.step % 20 == 0:
                self.report(
                    f"{self._spent():6.1%}  step {self.step}  loss {smooth:.4f}  "
                    f"{self.seconds / self.step * 1e3:.0f} ms/step"
                )
            if time.monotonic() - saved > save_every:
                self._save()
                saved = time.monotonic()

    def _spent(self) -> float:
        return max(self.step / self.budget.steps, self.seconds / 60 / self.budget.minutes)

    def _update(self, loss: Tensor, spent: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.rate(self.step, spent)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.schedule.clip)
        self.optimizer.step()
        self.step += 1
        keep = min(self.schedule.average, self.step / (self.step + 10))
        state = self.model.state_dict()
        names = [k for k, v in state.items() if v.is_floating_point()]
        torch._foreach_lerp_([self.average[k] for k in names], [state[k] for k in names], 1 - keep)
        for k in state.keys() - set(names):
            self.average[k].copy_(state[k])

    def _save(self) -> None:
        flat = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        flat |= {f"average.{k}": v for k, v in self.average.items()}
        for i, state in self.optimizer.state_dict()["state"].items():
            flat |= {f"optimizer.{i}.{k}": torch.as_tensor(v) for k, v in state.items()}
        flat["clock"] = torch.tensor([self.step, self.seconds, self.done], dtype=torch.float64)
        # Tensors that share memory are refused by the format; a copy each is not.
        save_tensors({k: v.detach().clone() for k, v in flat.items()}, self.path)

    def _restore(self) -> None:
        flat = load_file(self.path)
        step, self.seconds, done = flat.pop("clock").tolist()
        self.step, self.done = int(step), bool(done)
        self.model.load_state_dict(_below(flat, "model."))
        self.average = _below(flat, "average.")
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _below(flat, "optimizer.").items():
            index, key = name.split(".", 1)
            state.setdefault(int(index), {})[key] = value
        if state:
            own = self.optimizer.state_dict()
            self.optimizer.load_state_dict({"state": state, "param_groups": own["param_groups"]})


def make_optimizer(model: nn.Module, schedule: Schedule) -> torch.optim.Optimizer:
    """The optimizer that a schedule names, over all parameters of a model."""
    if schedule.optimizer == "muon":
        return Muon(model.named_parameters(), schedule.peak, weight_decay=schedule.weight_decay)
    return torch.optim.AdamW(
        model.parameters(),
        lr=schedule.peak,
        betas=(0.9, 0.99),
        weight_decay=schedule.weight_decay,
        foreach=True,
    )


class StopBetweenSteps:
    """While it is open, Ctrl-C and a termination request wait until a step is complete.

    A checkpoint in the middle of a step would not resume exactly. Signals reach the main thread
    only; in another one this does nothing.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self._asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopBetweenSteps":
        if threading.current_thread() is threading.main_thread():
            self._before = {s: signal.signal(s, self._ask) for s in self.SIGNALS}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def raise_if_asked(self) -> None:
        """KeyboardInterrupt, if one was asked for since."""
        if self._asked:
            raise KeyboardInterrupt

    def _ask(self, number: int, frame: object) -> None:
        self._asked = True


def steps_done(path: Path) -> int:
    """How many steps a checkpoint has behind it."""
    with safe_open(path, framework="pt") as file:
        return int(file.get_tensor("clock")[0])


def _below(flat: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in flat.items() if k.startswith(prefix)}
