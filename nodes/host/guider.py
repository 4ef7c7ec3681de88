"""Runs a guidance program's rows as one batch. The host hands out denoised latents; so do we."""

import copy
import logging
from typing import Any

import comfy.model_sampling
import comfy.samplers
import torch

from ...mm_core.branches.shapes import to_batch
from ...mm_core.embedded.scenes.attributes import PIXELS
from ...mm_core.encoders.doubts import size_doubt
from ...mm_core.errors import InputError
from ...mm_core.guidance.algebra import effective_pair
from ...mm_core.guidance.corrections import corrected
from ...mm_core.guidance.plan import GuidancePlan, Term
from ...mm_core.guidance.planner import EXACT, Planner
from ...mm_core.guidance.program import Program
from ...mm_core.guidance.samplers import speed_under
from ...mm_core.guidance.speed import at_speed
from ...mm_core.types import NULL, Row
from .caches import apart, refuse_one_cache
from .calls import refuse_without_other_side, run_rows, with_resting, with_sides, without
from .control import IMAGES, SharedControl
from .effects import HostModality
from .embedded import is_embedded
from .ip_adapter.carry import numbered
from .ip_adapter.prompt import with_banks
from .rows import Inputs, main_side, row_conditioning
from .run import Clock, Run
from .sampler import sampler_name
from .say import warn

CELL = 8  # pixels a side of the embedded model's latents


class ProgramGuider(comfy.samplers.CFGGuider):
    """A CFGGuider for any number of modalities. Each run begins with a state of its own."""

    def __init__(self, model, modalities: list[HostModality], program: Program, speed: str):
        self.inputs = Inputs.of(modalities)
        prompts = self.inputs.prompts
        self.banks = {name: prompt.bank(model) for name, prompt in prompts.items()}
        super().__init__(with_banks(model, self.banks, prompts) if prompts else model)
        self.asked, self.speed = program, speed
        self.program, effort = at_speed(program, speed)
        self.cfg = self.nominal = 1.0 + self.program.strongest_push
        self.run = Run(self.program, Planner(effort))
        self.ranges = {m.modality.name: m.ranges for m in modalities if m.ranges}
        self.sides: dict[Any, int] = {}
        self.at_hand: Any = None  # what the run that is under way makes conditioning with
        self.given = self.inputs
        self._set_rows([*self.program.rows(), NULL])

    def _set_rows(self, rows: list[Row]) -> None:
        """Registers the conditioning of the rows that are likely to come up."""
        chains = self.inputs.control_chains
        self.shared = SharedControl(chains) if chains else None
        self.original_conds.clear()  # those of rows that came up while a latent of another size ran
        self.sides.clear()
        for row in dict.fromkeys(rows):
            self._set_row(row)

    def _set_row(self, row: Row) -> None:
        entries = row_conditioning(row, self.inputs)
        conditioning = [entry for entry, _ in entries]
        if self.shared is not None:
            conditioning = [[t, {**o, "control": self.shared}] for t, o in conditioning]
        self.inner_set_conds({_key(row): conditioning})
        side = 0 if main_side(row, self.inputs) else 1
        for cond, (_, asked) in zip(self.original_conds[_key(row)], entries, strict=True):
            self.sides[cond["uuid"]] = side
            if self.shared is not None:
                self.shared.rows[cond["uuid"]] = asked

    def inner_sample(self, noise, latent_image, device, sampler, sigmas, denoise_mask, callback,
                     disable_pbar, seed, **kwargs):  # fmt: skip
        self.at_hand = noise, device, latent_image, denoise_mask, seed, kwargs.get("latent_shapes")
        self.conds = {key: self._numbered(entries) for key, entries in self.conds.items()}
        return super().inner_sample(
            noise, latent_image, device, sampler, sigmas, denoise_mask, callback, disable_pbar,
            seed, **kwargs,
        )  # fmt: skip

    def _cond(self, row: Row):
        """A row's processed conditioning. Schedules, masks and lists can meet in rows that nobody
        foresaw: such a row is made when it comes up, as the host makes them before a run."""
        key = _key(row)
        if key not in self.conds:
            if key not in self.original_conds:
                self._set_row(row)
            noise, device, latent_image, denoise_mask, seed, latent_shapes = self.at_hand
            if latent_image is not None and torch.count_nonzero(latent_image) > 0:
                latent_image = self.inner_model.process_latent_in(latent_image)
            plain = [
                {k: v for k, v in c.items() if k != "control"}
                for c in self._numbered(self.original_conds[key])
            ]
            made = comfy.samplers.process_conds(
                self.inner_model, noise, {key: plain}, device, latent_image, denoise_mask, seed,
                latent_shapes=latent_shapes,
            )[key]  # fmt: skip
            if self.shared is not None:  # which is ready for this run already
                made = [{**c, "control": self.shared} for c in made]
            self.conds[key] = made
        return self.conds[key]

    def _numbered(self, entries):
        """Where a node on the model cuts the batch, entries carry the number of each image, which
        is cut with it: ControlNets are told which of their pictures to read."""
        if self.shared is None or not self.shared.several or not _cuts(self.model_options):
            return entries
        told = {IMAGES: numbered(len(self.at_hand[0]))}
        return [{**c, "model_conds": {**c.get("model_conds", {}), **told}} for c in entries]

    def sample(self, noise, latent_image, sampler, sigmas, *args, **kwargs):
        for name, tensor in self.inputs.batches.items():
            # The host would repeat or cut any batch without a word.
            to_batch(tensor, len(noise), f"the {name} input")
        parts = noise.unbind() if noise.is_nested else [noise]
        if len(parts) > 1 and any(m.mask is not None for m in self.program.modalities):
            raise InputError(
                "this latent holds several streams, such as picture and sound; masks on weights "
                "are for pictures and video only: take them away"
            )
        if is_embedded(self.model_patcher):
            width, height = (CELL * s for s in reversed(parts[0].shape[-2:]))
            warn(size_doubt(width, height, PIXELS))
        self.inputs.frame.size = tuple(parts[0].shape[-2:])
        name = sampler_name(sampler)
        speed, said = speed_under(self.speed, name, len(sigmas) - 1)
        self.program, effort = at_speed(self.asked, speed)
        if self.given.need_size and len(parts) == 1:
            self.inputs = self.given.sized(noise.shape[2:])
            self._set_rows([*self.program.rows(), NULL])
        fitted = self.program.fitted(parts[0].shape[0], *parts[0].shape[-2:])
        refuse_one_cache(name, len(fitted.rows()))
        if said:
            _log.warning("%s", said)
        if _skips_steps(self.model_options):
            effort = EXACT
        self.run = Run(fitted, Planner(effort), tuple(sigmas.tolist()), said=said)
        for row in self.program.rows():
            if _key(row) not in self.original_conds:
                self._set_row(row)
        try:
            out = super().sample(noise, latent_image, sampler, sigmas, *args, **kwargs)
            self.run.teller.tell(self.run.trace, len(self.run.planner.steps), at_last=True)
            return out
        finally:
            self.run.forget()
            self.at_hand = None
            for bank in self.banks.values():
                bank.forget()

    def predict_noise(self, x, timestep, model_options={}, seed=None):  # noqa: B006 host's signature
        run, now = self.run, timestep[0].cpu()
        clock = run.clock = run.clock or self._clock()
        moment, following = clock.moment(now, run), clock.following(float(now), run)
        program = run.program.pushed(self._override())
        plan = self._asked(program.plan_at(moment, clock.hidden(now)))
        pair = self._pair(plan, program, model_options)
        ends = pair or self._ends(plan)
        if main_side(ends[1], self.inputs):
            refuse_without_other_side(model_options)
        chosen = run.planner.choose(plan, moment.noise, following)
        rows = _in_order(chosen, plan, pair) if pair else _ends_last(chosen, ends)
        resting = self.banks.keys() - set(ends[0].names)
        options = with_resting(model_options, resting) if resting else model_options
        fresh = self._run_rows(rows, x, timestep, options)
        predictions = {**fresh, **run.planner.complete(fresh, plan)}
        if pair:
            scale = self._pair_scale(plan, pair, program)
            both = (predictions[row] for row in pair)
            result = self._as_pair(*both, scale, pair, x, timestep, model_options)
        else:
            at = (moment, x, timestep, model_options)
            result = self._guided(predictions, plan, program, ends, *at)
        run.trace.see(moment, following, plan, predictions, rows, x, result)
        run.teller.tell(run.trace, len(run.planner.steps))
        return result

    def _run_rows(self, rows, x, timestep, model_options) -> dict[Row, Any]:
        """x0 for each row, in one call."""
        sides = [main_side(row, self.inputs) for row in rows]
        # Of a prompt and a row without one, the host's own numbering is what others expect.
        natural = sides in ([True], [True, False])
        options = model_options if natural else with_sides(model_options, self.sides)
        options = without(options, IMAGES) if _cuts(model_options) else options
        options = apart(options, self.run.kept, self.inner_model.diffusion_model)
        conds = [self._cond(row) for row in rows]
        outputs, self.run.at_once = run_rows(
            self.inner_model, conds, x, timestep, options, self.run.at_once
        )
        return dict(zip(rows, outputs, strict=True))

    def _guided(self, predictions, plan, program, ends, moment, x, timestep, model_options):
        """The sum of a plan, corrected, through the hooks that other nodes made for two rows."""
        sigma = float(timestep[0])
        result = corrected(
            program.correction, predictions, plan, self.run.memory, x, sigma, moment.noise
        )
        if not any(model_options.get(name) for name in _FORMULA_HOOKS):
            return result
        cond, uncond, scale = effective_pair(predictions, plan, result)
        if len(plan.rows) == 1:  # what the host shows its hooks then
            uncond, scale, ends = torch.zeros_like(cond), 1.0, (plan.fullest, None)
        return self._as_pair(cond, uncond, scale, ends, x, timestep, model_options)

    def _ends(self, plan: GuidancePlan) -> tuple[Row, Row]:
        """The rows that stand for the two of classifier-free guidance: the fullest, and the one
        that sees least on the side without the main prompt. They may be the same."""
        rows = [row for row in plan.rows if row != plan.fullest] or [plan.fullest]
        least = min(rows, key=lambda row: (main_side(row, self.inputs), len(row.names)))
        return plan.fullest, least

    def _override(self) -> float:
        """How other nodes, such as CFGOverride, ask all pushes to be multiplied."""
        if self.cfg == self.nominal or self.nominal == 1:
            return 1.0
        return (self.cfg - 1) / (self.nominal - 1)

    def _asked(self, plan: GuidancePlan) -> GuidancePlan:
        """The plan; where no weight pushes and another node asks for CFG all the same, that of all
        inputs together."""
        if self.nominal != 1 or self.cfg == 1 or len(plan.rows) > 1 or plan.fullest == NULL:
            return plan
        return GuidancePlan(NULL, (Term(plan.fullest, NULL, self.cfg),))

    def _pair(self, plan: GuidancePlan, program: Program, options) -> tuple[Row, Row] | None:
        """The two rows of ordinary classifier-free guidance, where that is all the plan is: then
        the host's own formula serves, and its own optimisation of a weight of 1."""
        if program.correction.kind != "none" or plan.across or plan.parts:
            return None
        coefficients = plan.coefficients
        if len(coefficients) == 1 and plan.fullest != NULL:
            return (plan.fullest, NULL) if options.get("disable_cfg1_optimization") else None
        numbers = all(isinstance(c, float | int) for c in coefficients.values())
        if len(coefficients) != 2 or len(plan.rows) != 2 or not numbers:
            return None
        fewer, more = sorted(coefficients, key=lambda row: len(row.names))
        return more, fewer

    def _pair_scale(self, plan: GuidancePlan, pair: tuple[Row, Row], program: Program) -> float:
        if self.cfg != self.nominal and len(program.modalities) == 1:
            return self.cfg  # to the last bit what the other node asks for
        return plan.coefficients.get(pair[0], 1.0)

    def _as_pair(self, cond, uncond, scale, ends, x, timestep, model_options):
        """What the host does with two rows, hooks of other nodes included."""
        conds = [None if row is None else self._cond(row) for row in ends]
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

    def _clock(self) -> Clock:
        # On the CPU: it is asked often, and each answer would make a GPU wait.
        sampling = copy.deepcopy(self.inner_model.model_sampling).cpu()
        return Clock(
            lambda share: float(sampling.percent_to_sigma(share)),
            isinstance(sampling, comfy.model_sampling.CONST),
            self.ranges,
        )


_log = logging.getLogger(__name__)
_FORMULA_HOOKS = (
    "sampler_pre_cfg_function", "sampler_cfg_function", "sampler_post_cfg_function"
)  # fmt: skip


def _in_order(chosen, plan: GuidancePlan, pair: tuple[Row, Row]) -> tuple[Row, ...]:
    """The host's own order; with the other side even where its weight is 0."""
    return tuple(row for row in pair if row in chosen or row not in plan.rows)


def _ends_last(chosen, ends: tuple[Row, Row]) -> tuple[Row, ...]:
    """Batches are built from the end: attention patches then find these two first."""
    last = [row for row in dict.fromkeys(ends[::-1]) if row in chosen]
    return (*(row for row in chosen if row not in last), *last)


def _key(row: Row) -> str:
    """A row's name among the host's conditionings: never one that means something to it, nor, as
    names of inputs are free, that of another row."""
    return f"mmc {row.strengths!r}"


def _cuts(options) -> bool:
    """Whether a node such as Context Windows may hand the network a part of the batch."""
    return options.get("context_handler") is not None


def _skips_steps(options) -> bool:
    """Whether a node such as EasyCache leaves steps out: what it hands out then is old, and not to
    be kept as if it were fresh."""
    return "easycache" in options.get("transformer_options", {})
