"""Runs a guidance program's rows as one batch. The host hands out denoised latents; so do we."""

from collections.abc import Mapping

import comfy.conds
import comfy.samplers
import torch

from ...mm_core.branches.shapes import to_batch
from ...mm_core.embedded.conditions import row_inputs
from ...mm_core.errors import InputError
from ...mm_core.guidance.algebra import combine, effective_pair
from ...mm_core.guidance.program import Program, auto_named
from ...mm_core.guidance.report import Report, describe
from ...mm_core.types import Row
from .embedded import is_embedded
from .modality import EmbeddedEffect, HostModality, TextEffect


class ProgramGuider(comfy.samplers.CFGGuider):
    """A CFGGuider for any number of modalities. It keeps no state from a run but its counts."""

    def __init__(self, model, modalities: list[HostModality], program: Program):
        super().__init__(model)
        self.program = program
        self.cfg = 1.0 + program.strongest_push
        self.counts = (0, 0)  # evaluations and rows of the last run
        self.progress: dict[float, float] = {}  # of each noise level of the last run
        self.inputs = {
            m.modality.name: m.effect.samples
            for m in modalities
            if isinstance(m.effect, EmbeddedEffect)
        }
        self.inner_set_conds(
            {str(row): row_conditioning(row, modalities) for row in program.rows()}
        )

    def sample(self, noise, *args, **kwargs):
        for name, tensor in self.inputs.items():
            # The host would repeat or cut any batch without a word.
            to_batch(tensor, len(noise), f"the {name} input")
        self.counts, self.progress = (0, 0), {}
        return super().sample(noise, *args, **kwargs)

    def predict_noise(self, x, timestep, model_options={}, seed=None):  # noqa: B006 host's signature
        plan = self.program.plan_at(self._progress(float(timestep[0])))
        # The row that sees most comes last: caching nodes anchor on it.
        rows = sorted(plan.rows, key=lambda row: len(row.names))
        outputs = comfy.samplers.calc_cond_batch(
            self.inner_model, [self.conds[str(row)] for row in rows], x, timestep, model_options
        )
        evaluations, total = self.counts
        self.counts = evaluations + 1, total + len(rows)
        predictions = dict(zip(rows, outputs, strict=True))
        result = combine(predictions, plan)
        hooks = model_options.get("sampler_post_cfg_function", [])
        if not hooks:
            return result
        cond, uncond, scale = effective_pair(predictions, plan, result)
        for hook in hooks:
            result = hook(
                {
                    "denoised": result,
                    "cond": self.conds[str(rows[-1])],
                    "uncond": self.conds[str(rows[0])],
                    "cond_denoised": cond,
                    "uncond_denoised": uncond,
                    "cond_scale": scale,
                    "model": self.inner_model,
                    "model_options": model_options,
                    "sigma": timestep,
                    "input": x,
                }
            )
        return result

    def _progress(self, sigma: float) -> float:
        """The share of sampling at which a noise level comes up. Each level is asked once a run."""
        if sigma not in self.progress:
            self.progress[sigma] = self._bisected(sigma)
        return self.progress[sigma]

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


def make_guider(
    model, modalities: Mapping[str, HostModality] | None, composition: str, push: float
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
    return ProgramGuider(model, named, Program(tuple(m.modality for m in named), composition, push))


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
