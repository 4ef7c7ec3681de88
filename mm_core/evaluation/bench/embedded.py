"""The methods on the embedded model: rows, distance to exact, adherence, and time."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from ...embedded.conditions import Encoded
from ...embedded.defaults import WEIGHTS
from ...embedded.generate import GuidedModel, Settings, generate, initial_noise, to_signal
from ...embedded.model import EmbeddedModel
from ...embedded.samplers import sampler_named
from ...embedded.schedules import sigmas
from ...guidance.algebra import combine
from ...guidance.planner import EXACT, SPACES, Effort
from ...guidance.program import Program
from ...guidance.speed import at_speed
from ...types import Latent, Modality, Moment, NullTokens, Picture, Row, Tensor
from ..cases import encode_case, held_out, null_text
from ..measures import measure, read
from ..oracle import Oracle
from ..persistence import persistence
from .adherence import Measured, adherence, difference
from .baselines import Predict
from .methods import METHODS, Guide, Planned

INPUTS = ("text", "style", "depth", "pose", "segmentation")
GROUP = 8  # scenes that are made together, and drawn together by the bootstrap
SEED = 910_000  # of the first group of scenes
TIMED = ("unguided", "joint", "fast", "balanced", "exact")
COMPARED = tuple(m for m in METHODS if m.name != "everywhere")  # the program has no band


def the_program(inputs: Sequence[str] = INPUTS) -> Program:
    """Leave-one-out at the default weights."""
    return Program(tuple(Modality(name, WEIGHTS[name]) for name in inputs))


@dataclass(frozen=True)
class Batch:
    """One group of scenes, ready to be sampled."""

    model: EmbeddedModel
    encoded: Mapping[str, Encoded]
    null: NullTokens
    settings: Settings

    @torch.inference_mode()
    def sample(self, guide: Guide) -> tuple[Picture, float, float]:
        """Pictures, rows per evaluation, and network calls per evaluation."""
        levels = sigmas(self.settings.schedule, self.settings.steps)
        host = GuidedModel(self.model.denoiser, Program(()), self.encoded, self.null)

        def denoise(x: Latent, sigma: float) -> Latent:
            below = next((s for s in levels.tolist() if s < sigma * (1 - 1e-6)), 0.0)
            at = Moment(1 - sigma, to_signal(sigma))

            def predict(rows: Sequence[Row]) -> dict[Row, Latent]:
                return host.predict(x, sigma, rows)

            return guide(x, at, to_signal(below), predict)

        sampler = sampler_named(self.settings.sampler)
        latent = sampler(denoise, initial_noise(self.settings), levels)
        count = host.count
        picture = self.model.autoencoder.decode(latent)
        return picture, count.rows / count.evaluations, count.calls / count.evaluations


def batches(model: EmbeddedModel, scenes: int, steps: int) -> list[tuple[Any, Batch]]:
    """Groups of held-out scenes with their truth."""
    out = []
    for k in range(scenes // GROUP):
        case = held_out(GROUP, SEED + 1000 * k)
        encoded = encode_case(model, case, INPUTS)
        settings = Settings(steps=steps, seed=k, batch=GROUP)
        out.append((case, Batch(model, encoded, null_text(model), settings)))
    return out


def compare(
    model: EmbeddedModel,
    oracle: Oracle,
    scenes: int,
    steps: int,
    on_step: Callable[[], None] = lambda: None,
) -> list[dict[str, Any]]:
    """For each method: rows and calls per step, distance to exact and to its own exact version in
    decibels, share of what guidance changes, and adherence with its difference to exact."""
    program = the_program()
    found: dict[str, list[Measured]] = {m.name: [] for m in COMPARED}
    apart: dict[str, list[Tensor]] = {m.name: [] for m in COMPARED}
    cost: dict[str, list[tuple[float, float]]] = {m.name: [] for m in COMPARED}
    for case, batch in batches(model, scenes, steps):
        made: dict[str, Picture] = {}
        for method in COMPARED:
            made[method.name], rows, calls = batch.sample(method.start(program, "velocity"))
            cost[method.name].append((rows, calls))
            on_step()
        effect = error(made["unguided"], made["exact"])
        for method in COMPARED:
            picture = made[method.name]
            off = error(picture, made["exact"])
            own = error(picture, made[method.own])
            apart[method.name].append(torch.stack([off, own, off / effect]))
            reading = measure(read(oracle, picture), case.truth)
            found[method.name].append({n: v for n, v in reading.items() if n != "audio"})
    return [
        {
            "method": name,
            "rows": statistics.mean(rows for rows, _ in cost[name]),
            "calls": statistics.mean(calls for _, calls in cost[name]),
            **_distances(torch.cat(apart[name], 1)),
            "adherence": adherence(found[name]),
            "difference": difference(found[name], found["exact"]),
        }
        for name in found
    ]


def error(a: Picture, b: Picture) -> Tensor:
    """Root mean square difference of each pair of pictures, 0 to 1."""
    return (a.clamp(0, 1) - b.clamp(0, 1)).square().flatten(1).mean(1).sqrt()


def decibels(errors: Tensor) -> float | None:
    """PSNR in the mean of the pictures; None where any is the same bit for bit."""
    return None if bool((errors == 0).any()) else float(-20 * errors.log10().mean())


def _distances(apart: Tensor) -> dict[str, Any]:
    off, own, share = apart
    return {
        "psnr": decibels(off),
        "psnr_worst_tenth": decibels(off.quantile(0.9)[None]),
        "psnr_own": decibels(own),
        "effect": float(share.mean()),
    }


def keep_by_space(
    model: EmbeddedModel, steps: int, on_step: Callable[[], None] = lambda: None
) -> list[dict[str, Any]]:
    """For each space, how much each row's difference changes over 1, 2 and 3 steps of an exact
    run, and the distance to exact of rows that are run at every second and third step."""
    _, batch = batches(model, GROUP, steps)[0]
    program = the_program()
    trace: list[tuple[float, dict[Row, Latent]]] = []

    def recorded(x: Latent, at: Moment, following: float, predict: Predict) -> Latent:
        plan = program.plan_at(at)
        trace.append((at.noise, predict(plan.rows)))
        return combine(trace[-1][1], plan)

    exact = batch.sample(recorded)[0]
    reference = program.plan_at(0.0).anchor
    out = []
    for space in SPACES:
        paced = {}
        for every in (2, 3):
            kept = Planned(program, Effort(every=every, space=space))
            paced[every] = decibels(error(batch.sample(kept)[0], exact))
            on_step()
        changes = {
            gap: {
                _left_out(row, reference): share
                for row, share in persistence(trace, reference, space, gap).items()
            }
            for gap in (1, 2, 3)
        }
        out.append({"space": space, "changes": changes, "paced": paced})
    return out


def _left_out(row: Row, reference: Row) -> str:
    return "+".join(sorted(set(reference.names) - set(row.names)))


def time_side_by_side(
    model: EmbeddedModel,
    steps: int,
    repeats: int = 5,
    on_step: Callable[[], None] = lambda: None,
) -> dict[str, tuple[float, float, float]]:
    """Seconds of each method over those of plain joint guidance in the same round: median, lowest
    and highest of the rounds. The sampling loop is the one that `mmc generate` runs."""
    _, batch = batches(model, GROUP, steps)[0]
    special = {
        "unguided": replace(the_program(), push=0.0),
        "joint": replace(the_program(), composition="joint"),
    }
    programs = {
        name: (special[name], EXACT) if name in special else at_speed(the_program(), name)
        for name in TIMED
    }
    rounds = []
    for _ in range(repeats):
        seconds = {}
        for name, (program, effort) in programs.items():
            began = time.perf_counter()
            generate(model, program, batch.encoded, batch.null, batch.settings, effort=effort)
            seconds[name] = time.perf_counter() - began
            on_step()
        rounds.append({name: s / seconds["joint"] for name, s in seconds.items()})
    return {
        name: (
            statistics.median(r[name] for r in rounds),
            min(r[name] for r in rounds),
            max(r[name] for r in rounds),
        )
        for name in programs
    }
