"""Runs a guidance program's rows as one batch. The host hands out denoised latents; so do we."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import comfy.conds
import comfy.model_sampling
import comfy.samplers
import torch

from ...mm_core.branches.shapes import to_batch
from ...mm_core.embedded.conditions import row_inputs
from ...mm_core.errors import InputError
from ...mm_core.guidance.algebra import combine, effective_pair
from ...mm_core.guidance.corrections import Correction, Guided, Memory, correct
from ...mm_core.guidance.plan import GuidancePlan
from ...mm_core.guidance.planner import Effort, Planner
from ...mm_core.guidance.program import Program, auto_named
from ...mm_core.guidance.report import Report, describe
from ...mm_core.guidance.speed import at_speed
from ...mm_core.types import Moment, Row
from .embedded import is_embedded
from .modality import EmbeddedEffect, HostModality, TextEffect


@dataclass
class Run:
    """State of one sampling run. progress: of each noise level that came up."""

    program: Program
    planner: Planner
    levels: tuple[float, ...] = ()
    memory: Memory = field(default_factory=Memory)
    progress: dict[float, float] = field(default_factory=dict)

    def after(self, sigma: float) -> float:
        """The next noise level of the schedule below this one."""
        return next((level for level in self.levels if level < sigma * (1 - 1e-6)), 0.0)


class ProgramGuider(comfy.samplers.CFGGuider):
    """A CFGGuider for any number of modalities. Each run begins with a state of its own."""

    def __init__(self, model, modalities: list[HostModality], program: Program, effort: Effort):
        super().__init__(model)
        self.program, self.effort = program, effort
        self.cfg = 1.0 + program.strongest_push
        self.run = Run(program, Planner(effort))
        self.inputs = {
            m.modality.name: m.effect.samples
            for m in modalities
            if isinstance(m.effect, EmbeddedEffect)
        }
        self.inner_set_conds(
            {str(row): row_conditioning(row, modalities) for row in program.rows()}
        )

    def sample(self, noise, latent_image, sampler, sigmas, *args, **kwargs):
        for name, tensor in self.inputs.items():
            # The host would repeat or cut any batch without a word.
            to_batch(tensor, len(noise), f"the {name} input")
        shape = noise.unbind()[0].shape if noise.is_nested else noise.shape
        fitted = self.program.fitted(shape[0], *shape[-2:])
        self.run = Run(fitted, Planner(self.effort), tuple(sigmas.tolist()))
        try:
            return super().sample(noise, latent_image, sampler, sigmas, *args, **kwargs)
        finally:  # the host keeps guiders; latents of a finished run must not stay with them
            self.run.planner.forget()
            self.run.memory = Memory()

    def predict_noise(self, x, timestep, model_options={}, seed=None):  # noqa: B006 host's signature
        run, sigma = self.run, float(timestep[0])
        noise, following = self._to_signal(sigma), self._to_signal(run.after(sigma))
        plan = run.program.plan_at(Moment(self._progress(sigma), noise))
        rows = run.planner.choose(plan, noise, following)
        plain = _plain_pair(plan, run.program.correction)
        if plain:  # the host's own formula, in the host's own order
            rows = tuple(row for row in plain if row in rows)
        outputs = self._run_rows(rows, x, timestep, model_options)
        fresh = dict(zip(rows, outputs, strict=True))
        predictions = run.planner.complete(fresh, plan, following)
        if plain:
            cond, uncond, scale = *(predictions[row] for row in plain), plan.coefficients[plain[0]]
        else:
            result = combine(predictions, plan)
            cond, uncond, scale = effective_pair(predictions, plan, result)
            if not plan.terms:
                run.memory.push = None
            elif run.program.correction.kind != "none":
                run.memory.begin(noise)
                guided = Guided(result, cond, uncond, scale, x, sigma)
                result = correct(run.program.correction, guided, run.memory)
                uncond = cond - (result - cond) / (scale - 1)
            if not any(model_options.get(name) for name in _FORMULA_HOOKS):
                return result
        return self._as_pair(cond, uncond, scale, plan, x, timestep, model_options)

    def _run_rows(self, rows, x, timestep, model_options):
        """One x0 for each row, in one call."""
        conds = [self.conds[str(row)] for row in rows]
        other = model_options.get("sampler_calc_cond_batch_function")
        if other is None:
            return comfy.samplers.calc_cond_batch(
                self.inner_model, conds, x, timestep, model_options
            )
        if len(rows) != 2:
            raise InputError(
                f"a node on the model, such as SkipLayerGuidanceDiTSimple, runs the network in its "
                f"own way, for two rows; this step has {len(rows)}: take that node away, or use "
                "one input at the speed exact"
            )
        return other(
            {
                "conds": conds,
                "input": x,
                "sigma": timestep,
                "model": self.inner_model,
                "model_options": model_options,
            }
        )

    def _as_pair(self, cond, uncond, scale, plan: GuidancePlan, x, timestep, model_options):
        """What the host does with two rows, hooks of other nodes included."""
        ends = plan.fullest, min(plan.rows, key=lambda row: len(row.names))
        conds = [self.conds[str(row)] for row in ends]
        outputs = [cond, uncond]
        for hook in model_options.get("sampler_pre_cfg_function", []):
            outputs = hook(
                {
                    "conds": conds,
                    "conds_out": outputs,
                    "cond_scale": scale,
                    "timestep": timestep,
                    "input": x,
                    "sigma": timestep,
                    "model": self.inner_model,
                    "model_options": model_options,
                }
            )
        return comfy.samplers.cfg_function(
            self.inner_model, outputs[0], outputs[1], scale, x, timestep,
            model_options=model_options, cond=conds[0], uncond=conds[1],
        )  # fmt: skip

    def _to_signal(self, sigma: float) -> float:
        """The ratio of noise to signal: of a flow sigma / (1 - sigma), else sigma itself."""
        if not isinstance(self.inner_model.model_sampling, comfy.model_sampling.CONST):
            return sigma
        return sigma / (1 - sigma) if sigma < 1 else math.inf

    def _progress(self, sigma: float) -> float:
        """The share of sampling at which a noise level comes up. Each level is asked once a run."""
        known = self.run.progress
        if sigma not in known:
            known[sigma] = self._bisected(sigma)
        return known[sigma]

    def _bisected(self, sigma: float) -> float:
        sampling = self.inner_model.model_sampling
        low, high = 0.0, 1.0
        for _ in range(30):
            middle = (low + high) / 2
            if float(sampling.percent_to_sigma(middle)) > sigma:
                low = middle
            else:
                high = middle
        return high if high < 1 else 1 - 1e-6


_FORMULA_HOOKS = (
    "sampler_pre_cfg_function", "sampler_cfg_function", "sampler_post_cfg_function"
)  # fmt: skip


def _plain_pair(plan: GuidancePlan, correction: Correction) -> tuple[Row, Row] | None:
    """The two rows of ordinary classifier-free guidance, where that is all the plan is."""
    coefficients = plan.coefficients
    numbers = all(isinstance(c, float | int) for c in coefficients.values())
    if len(coefficients) != 2 or plan.across or not numbers or correction.kind != "none":
        return None
    fewer, more = sorted(coefficients, key=lambda row: len(row.names))
    return more, fewer


def make_guider(
    model,
    modalities: Mapping[str, HostModality] | None,
    composition: str,
    push: float,
    speed: str = "exact",
    correction: str = "none",
) -> ProgramGuider:
    """The guider for what is connected; empty sockets are skipped."""
    connected = [m for m in (modalities or {}).values() if m is not None]
    if not connected:
        raise InputError("no modality is connected; connect at least one, such as Text Modality")
    names = auto_named([m.modality.name for m in connected])
    named = [m.renamed(name) for m, name in zip(connected, names, strict=True)]
    if any(isinstance(m.effect, EmbeddedEffect) for m in named) and not is_embedded(model):
        kind = type(model.model).__name__
        raise InputError(
            f"adapters of the embedded model fit its own MODEL only; found a {kind}: connect "
            "model from the same Load Embedded Model, or leave these modalities out"
        )
    program = Program(tuple(m.modality for m in named), composition, push, Correction(correction))
    return ProgramGuider(model, named, *at_speed(program, speed))


def plan_report(guider: ProgramGuider) -> Report:
    """What will run."""
    return describe(guider.program)


def row_conditioning(row: Row, modalities: list[HostModality]):
    """CONDITIONING for one row: its text, and what the embedded model's encoders made."""
    texts = {m.modality.name: m.effect for m in modalities if isinstance(m.effect, TextEffect)}
    embedded = {
        m.modality.name: m.effect for m in modalities if isinstance(m.effect, EmbeddedEffect)
    }
    out = _text(row, texts, next(iter(embedded.values())).base if embedded else None)
    if not embedded:
        return out
    encoded = {name: effect.encoded for name, effect in embedded.items()}
    here = Row.of({name: row.strength(name) for name in row.names if name in encoded})
    extra = row_inputs(here, encoded, out[0][0])
    conds = {
        name: comfy.conds.CONDRegular(value) for name, value in extra.items() if name != "context"
    }
    return [
        [tokens, {**options, "model_conds": {**options.get("model_conds", {}), **conds}}]
        for tokens, options in out
    ]


def _text(row: Row, texts: Mapping[str, TextEffect], base):
    seen = [t.at(strength) for name, t in texts.items() if (strength := row.strength(name))]
    if not seen:
        return next(iter(texts.values())).absent if texts else base
    first, *rest = seen
    if not rest:
        return first
    # Several prompts stand side by side, as ConditioningConcat has them.
    others = [entry[0] for conditioning in rest for entry in conditioning[:1]]
    return [[torch.cat([tokens, *others], 1), options] for tokens, options in first]
