"""Our own host: encoded inputs, a guidance program and a seed in, pictures out."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from ..errors import InputError
from ..guidance.corrections import Memory, corrected
from ..guidance.planner import EXACT, Effort, Planner
from ..guidance.program import Program
from ..guidance.report import Report, describe
from ..guidance.trace import Trace
from ..types import Float, Latent, Moment, NullTokens, Picture, Row, Tensor
from .autoencoder import CHANNELS, FACTOR
from .conditions import Encoded, RowInputs, row_inputs, stack_rows
from .denoiser import Denoiser
from .model import EmbeddedModel
from .samplers import Step, sampler_named
from .scenes.attributes import PIXELS
from .schedules import sigmas as sigmas_of

MOST_SAMPLES = 256  # of size 1 in one network call; more are split, to save memory


@dataclass(frozen=True)
class Settings:
    """How to sample. size: 1 makes 128 x 128 pixels, 2 makes 256 x 256, and so on.

    denoise: how much of a latent to start from is made anew, above 0; 1 is all of it.
    """

    steps: int = 25
    sampler: str = "euler"
    schedule: str = "normal"
    seed: int = 0
    batch: int = 1
    size: int = 1
    denoise: float = 1.0

    def __post_init__(self) -> None:
        sampler_named(self.sampler)
        self.levels()
        for name, value, high in (("batch", self.batch, 4096), ("size", self.size, 8)):
            if not 1 <= value <= high:
                raise InputError(f"{name} is {value}; it must be between 1 and {high}")
        if not 0 <= self.seed < 2**64:
            raise InputError(f"seed is {self.seed}; it must be between 0 and 2^64 - 1")

    def levels(self) -> Float[Tensor, " steps_1"]:
        """The noise levels of the run, falling to 0."""
        return sigmas_of(self.schedule, self.steps, self.denoise)


@dataclass
class Count:
    """Rows and network calls of one run; rows are counted once for the whole batch."""

    evaluations: int = 0
    rows: int = 0
    calls: int = 0


def initial_noise(settings: Settings) -> Latent:
    """The noise ComfyUI draws for the same seed and size, on any device."""
    side = settings.size * PIXELS // FACTOR
    rng = torch.Generator("cpu").manual_seed(settings.seed)
    return torch.randn(settings.batch, CHANNELS, side, side, generator=rng)


def noised(latent: Float[Tensor, "_ _ _ _"] | None, settings: Settings) -> Latent:
    """What a run starts from: a latent under noise of the first level, or noise alone.

    latent: one, or one for each picture. Source: Meng et al. 2021 (SDEdit), arXiv 2108.01073, in
    a rectified flow.
    """
    noise, sigma = initial_noise(settings), float(settings.levels()[0])
    if latent is None:
        if sigma < 1:
            raise InputError(
                f"denoise is {settings.denoise:g}, but there is no latent to start from; give a "
                "picture, or set denoise to 1"
            )
        return noise
    if latent.shape[1:] != noise.shape[1:] or len(latent) not in (1, len(noise)):
        raise InputError(
            f"the latent to start from is {tuple(latent.shape)}; needed {tuple(noise.shape)}, or "
            "one for all pictures"
        )
    return sigma * noise + (1 - sigma) * latent


class GuidedModel:
    """(x, sigma) -> denoised latent under a program. Holds one run's inputs, state and counts.

    levels: the run's noise levels, falling to 0. trace: is shown every evaluation.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        program: Program,
        encoded: Mapping[str, Encoded],
        null_text: NullTokens,
        levels: Sequence[float] = (),
        effort: Effort = EXACT,
        trace: Trace | None = None,
    ):
        self.denoiser, self.program, self.count = denoiser, program, Count()
        self.planner, self._memory = Planner(effort), Memory()
        self._levels, self._trace = tuple(levels), trace
        self._inputs: dict[Row, RowInputs] = {}
        self._encoded, self._null = encoded, null_text

    def __call__(self, x: Latent, sigma: float) -> Latent:
        noise, following = to_signal(sigma), to_signal(self._after(sigma))
        moment = Moment(1 - sigma, noise)
        plan = self.program.plan_at(moment)
        rows = self.planner.choose(plan, noise, following)
        predictions = self.planner.complete(self.predict(x, sigma, rows), plan)
        result = corrected(
            self.program.correction, predictions, plan, self._memory, x, sigma, noise
        )
        if self._trace is not None:
            self._trace.see(moment, following, plan, predictions, rows, x, result)
        return result

    def predict(self, x: Latent, sigma: float, rows: Sequence[Row]) -> dict[Row, Latent]:
        """The denoised latent that each row predicts, from as few network calls as fit."""
        inputs = stack_rows([self._row(row) for row in rows], len(x))
        stacked = x.repeat(len(rows), *[1] * (x.ndim - 1))
        velocity = self._run(stacked, sigma, inputs)
        self.count.evaluations += 1
        self.count.rows += len(rows)
        return dict(zip(rows, (stacked - velocity * sigma).split(len(x)), strict=True))

    def _after(self, sigma: float) -> float:
        """The next noise level below this one."""
        return next((level for level in self._levels if level < sigma * (1 - 1e-6)), 0.0)

    def _row(self, row: Row) -> RowInputs:
        if row not in self._inputs:
            self._inputs[row] = row_inputs(row, self._encoded, self._null)
        return self._inputs[row]

    def _run(self, x: Latent, sigma: float, inputs: RowInputs) -> Latent:
        out = []
        most = max(1, MOST_SAMPLES * (PIXELS // FACTOR) ** 2 // (x.shape[-2] * x.shape[-1]))
        for start in range(0, len(x), most):
            part = slice(start, start + most)
            time = torch.full((len(x[part]),), sigma * 1000, device=x.device)
            out.append(
                self.denoiser(x[part], time, **{k: v[part] for k, v in inputs.items()}).float()
            )
            self.count.calls += 1
        return torch.cat(out)


@torch.inference_mode()
def generate(
    model: EmbeddedModel,
    program: Program,
    encoded: Mapping[str, Encoded],
    null_text: NullTokens,
    settings: Settings,
    on_step: Callable[[int], None] | None = None,
    effort: Effort = EXACT,
    on_report: Callable[[Report], None] | None = None,
    latent: Float[Tensor, "_ _ _ _"] | None = None,
) -> tuple[Picture, Count]:
    """(batch, 3, 128 size, 128 size) pictures, and what they cost.

    on_step(i) is called after each step and may raise to cancel. on_report is given the report of
    the finished run; only then is anything measured. latent: to start from, where denoise is
    below 1.
    """
    sampler, levels = sampler_named(settings.sampler), settings.levels()
    start = noised(latent, settings)
    program = program.fitted(*start.shape[:1], *start.shape[-2:])
    trace = Trace() if on_report else None
    guided = GuidedModel(
        model.denoiser, program, encoded, null_text, levels.tolist(), effort, trace
    )
    step: Step = on_step or (lambda i: None)
    made = sampler(guided, start, levels, step)
    if not torch.isfinite(made).all():
        strongest = program.strongest_push
        raise InputError(
            f"the picture overflowed: the strongest push, a weight's distance from 1, is "
            f"{strongest:g}; lower weights or push (1 to 5 is usual)"
        )
    if on_report:
        on_report(describe(program, guided.planner, trace))
    return model.autoencoder.decode(made), guided.count


def to_signal(sigma: float) -> float:
    """The ratio of noise to signal at a noise level of a rectified flow."""
    return sigma / (1 - sigma) if sigma < 1 else math.inf
