"""Run by the host's Python from the host's folder: batches that a node cuts, when inputs begin and
end next to the host's own decisions, weights for each image, caches of other nodes, and speeds.

Prints JSON.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import inside  # noqa: I001  first: it makes the rest importable
import comfy.context_windows
import comfy.controlnet
import comfy.k_diffusion.sampling
import comfy.model_management
import comfy.model_sampling
import comfy.samplers
import comfy_extras.nodes_flux
import folder_paths
import nodes as host_nodes
import probe_models
import probe_nodes
import probe_vision
import random_adapters
import tempfile
import torch
from inside_probe import control_net, off, random, refusal, words
from mmc_pack.mm_core.guidance.planner import Planner
from mmc_pack.mm_core.guidance.program import Program
from mmc_pack.mm_core.guidance.schedule import Schedule
from mmc_pack.mm_core.types import Modality, Window
from mmc_pack.nodes.host import modality as inputs
from mmc_pack.nodes.host.caches import Kept, apart
from mmc_pack.nodes.host.embedded import load_embedded_model
from mmc_pack.nodes.host.ip_adapter import files, plain, prompt
from mmc_pack.nodes.host.make import Choices, make_guider, run_report
from mmc_pack.nodes.host.part import meeting, ranges_of
from mmc_pack.nodes.host.modality import Control, Guidance
from mmc_pack.nodes.host.run import Clock, Run
from mmc_pack.nodes.host.sample import sample_with

torch.set_num_threads(1)
FRAMES = 6


def drawn(model, modalities, steps=2, batch=1, sampler="euler", channels=4, side=16, **choices):
    """The latent and the guider that made it."""
    connected = {str(k): m for k, m in enumerate(modalities)}
    told = {"composition": "leave_one_out", "push": 1.0, **choices}
    guider = make_guider(model, connected, Choices(**told))
    latent = {"samples": torch.zeros(batch, channels, side, side)}
    with torch.inference_mode():
        made = sample_with(guider, 5, steps, sampler, "normal", 1.0, latent)["samples"]
    return made, guider


# A batch that core's Context Windows cut: a network of pictures treats each frame alone.


def cut(model, schedule, closed=False):
    cw = comfy.context_windows
    handler = cw.IndexListContextHandler(
        context_schedule=cw.get_matching_context_schedule(schedule),
        fuse_method=cw.get_matching_fuse_method(cw.ContextFuseMethods.PYRAMID),
        context_length=4, context_overlap=1, context_stride=1, closed_loop=closed, dim=0,
    )  # fmt: skip
    out = model.clone()
    out.model_options["context_handler"] = handler
    return out


def frames_under_windows():
    plain_unet, deep = probe_nodes.ProbeModel().make()[0], probe_vision.ProbeUNet()
    deep = deep.make("SD1.5", 128)[0]
    pictures = random(3, FRAMES, 128, 128, 3).sigmoid()
    text = inputs.condition(words(1), words(9), "text", Guidance(4.0))
    folder = Path(tempfile.mkdtemp())
    random_adapters.write_all(folder)
    folder_paths.add_model_folder_path("ipadapter", str(folder))
    adapter, vision = files.load("one.safetensors"), probe_vision.ProbeVision().make(48)[0]

    def style(**look):
        look = prompt.Style(combine="one each", **look)
        return inputs.style(None, adapter, vision, pictures, look, Guidance(2.0))

    def depth(shown):
        return inputs.depth(None, Control(control_net(1)), shown, Guidance(2.0))

    controlled = control_net(2).set_cond_hint(pictures[:4].movedim(-1, 1), 1.0, (0.0, 1.0))
    native = inputs.condition(
        words(1, control=controlled, control_apply_to_uncond=True), words(9), "text", Guidance(4.0)
    )
    maps = depth(pictures)
    cases = {
        "a map each": (plain_unet, [text, maps]),
        "four maps, in turn, of a native ControlNet": (plain_unet, [native]),
        "a picture each": (deep, [text, style()]),
        "a picture each, and what stands for none": (deep, [text, style(absent="null picture")]),
    }
    schedules = comfy.context_windows.ContextSchedules
    found = {}
    for name, (model, modalities) in cases.items():
        wanted = drawn(model, modalities, batch=FRAMES)[0]
        got = drawn(cut(model, schedules.STATIC_STANDARD), modalities, batch=FRAMES)[0]
        found[name] = [off(g, w) for g, w in zip(got, wanted, strict=True)]
    wanted = drawn(plain_unet, [text, maps], batch=FRAMES)[0]
    looped = cut(plain_unet, schedules.UNIFORM_LOOPED, closed=True)
    got = drawn(looped, [text, maps], batch=FRAMES)[0]
    found["a map each, in a loop"] = [off(g, w) for g, w in zip(got, wanted, strict=True)]
    found["a map and a picture each, on the embedded model"] = on_the_embedded(pictures, schedules)
    found["a picture each, by native samplers"] = natively(deep, style(), schedules)
    found["maps differ"] = off(
        wanted, drawn(plain_unet, [text, depth(pictures[:1])], batch=FRAMES)[0]
    )
    return found


def on_the_embedded(pictures, schedules):
    model, clip, _, adapters, _ = load_embedded_model()
    told = [
        inputs.text(clip, "a red circle", "", Guidance(3.0)),
        inputs.depth(adapters, Control(), pictures, Guidance(1.5)),
        inputs.style(adapters, None, None, pictures, prompt.Style(), Guidance(2.0)),
    ]
    chosen = (model, cut(model, schedules.STATIC_STANDARD))
    wanted, got = (drawn(m, told, batch=FRAMES, channels=8)[0] for m in chosen)
    return [off(g, w) for g, w in zip(got, wanted, strict=True)]


def natively(model, modality, schedules):
    made = []
    for chosen in (model, cut(model, schedules.STATIC_STANDARD)):
        patched, positive, negative = plain.apply_prompt(chosen, words(1), words(9), modality)
        latent = {"samples": torch.zeros(FRAMES, 4, 16, 16)}
        with torch.inference_mode():
            made += host_nodes.KSampler().sample(
                patched, 5, 2, 4.0, "euler", "normal", positive, negative, latent, 1.0
            )
    return [off(g, w) for g, w in zip(made[1]["samples"], made[0]["samples"], strict=True)]


# When an input begins and ends.


def samplings():
    """The host's ways to place noise levels: flows of every shift, and a network of noise."""

    class Flow(comfy.model_sampling.ModelSamplingDiscreteFlow, comfy.model_sampling.CONST):
        pass

    class Flux(comfy.model_sampling.ModelSamplingFlux, comfy.model_sampling.CONST):
        pass

    class Noise(comfy.model_sampling.ModelSamplingDiscrete, comfy.model_sampling.EPS):
        pass

    for shift in range(1, 13):
        flow = Flow()
        flow.set_parameters(shift=float(shift), multiplier=1000)
        yield f"flow, shift {shift}", flow
    flux = Flux()
    flux.set_parameters(shift=1.15)
    yield "flux", flux
    yield "noise", Noise()


class Around:
    """As much of a model as the host's functions look at."""

    def __init__(self, sampling):
        self.model_sampling = sampling

    def get_model_object(self, name):
        return self.model_sampling


def host_acts(sampling, now, **bounds):
    """Whether the host gives a row to an entry at a noise level."""
    entry = {"model_conds": {}, "uuid": None, **bounds}
    conds = [entry]
    comfy.samplers.calculate_start_end_timesteps(Around(sampling), conds)
    return comfy.samplers.get_area_and_mult(conds[0], torch.zeros(1, 1, 1, 1), now) is not None


def decisions():
    """How many there were, and those that differ from the host's."""
    asked, wrong = 0, []
    for name, sampling in samplings():
        for scheduler in comfy.samplers.KSampler.SCHEDULERS:
            for steps in (4, 8) if "shift" in name else (8, 20):
                levels = comfy.samplers.calculate_sigmas(sampling, scheduler, steps)[:-1]
                shares = sorted({k / steps for k in range(steps + 1)} | {0.35, 0.5})
                for start in shares[:: max(1, len(shares) // 4)]:
                    for end in (1.0, min(1.0, start + 3 / steps)):
                        asked += len(levels)
                        bad = differing(sampling, levels, start, end)
                        wrong += [[name, scheduler, steps, start, end, *b] for b in bad]
    return {"asked": asked, "wrong": len(wrong), "first": wrong[:5]}


def differing(sampling, levels, start, end):
    conditioning = [[None, {"start_percent": start, "end_percent": end}]]
    ranges = ranges_of(conditioning)
    flow = isinstance(sampling, comfy.model_sampling.CONST)
    to_sigma = lambda share: float(sampling.percent_to_sigma(share))  # noqa: E731
    clock = Clock(to_sigma, flow, {"ranged": ranges} if ranges else {})
    step = Schedule("linear", start=start, end=start, first=0.0, last=1.0)
    told = (
        Modality("ranged", 2.0, within=meeting(ranges)),
        Modality("in a window", 2.0, Window(start, end)),
        Modality("on a schedule", 2.0, schedule=Schedule("window", start=start, end=end)),
        Modality("at once", 2.0, schedule=step),
    )
    program, run = Program(told), Run(Program(()), Planner())
    for k, level in enumerate(levels):
        moment, hidden = clock.moment(level, run), clock.hidden(level)
        begun = host_acts(sampling, level[None], start_percent=start)
        over = end < 1 and host_acts(sampling, level[None], start_percent=end)
        wanted = {
            "ranged": host_acts(sampling, level[None], start_percent=start, end_percent=end),
            "in a window": begun and not over and start < end,
            "on a schedule": begun and not over and start < end,
            "at once": begun,
        }
        plan = program.plan_at(moment, hidden)
        seen = {n for row in plan.rows for n in row.names}
        pushed = {n for t in plan.terms for n in {*t.plus.names} - {*t.minus.names}}
        found = {
            "ranged": "ranged" in seen,
            "in a window": "in a window" in seen,
            "on a schedule": "on a schedule" in pushed,
            "at once": "at once" in pushed,
        }
        yield from ([k, name, found[name]] for name in wanted if found[name] != wanted[name])


def steps_of_a_range():
    """At how many of 8 evaluations a prompt from 3/8 on is run, by shift."""
    found = {}
    for shift in (1, 6, 8, 10, 12):
        model = probe_models.ProbeDiT().make()[0].clone()
        sampling = dict(samplings())[f"flow, shift {shift}"]
        model.add_object_patch("model_sampling", sampling)
        pooled = {"pooled_output": random(2, 1, 128)}
        ranged = [[random(1, 1, 8, 128), {**pooled, "start_percent": 0.5, "end_percent": 1.0}]]
        always = inputs.condition([[random(3, 1, 8, 128), pooled]], None, "text", Guidance(1.0))
        late = inputs.condition(ranged, [[random(4, 1, 8, 128), pooled]], "late", Guidance(2.0))
        _, guider = drawn(model, [always, late], steps=8, channels=16, side=8)
        ours = sum("late" in str(s.fresh) for s in guider.run.planner.steps)
        levels = comfy.samplers.calculate_sigmas(sampling, "normal", 8)[:-1]
        hosts = sum(
            host_acts(sampling, x[None], start_percent=0.5, end_percent=1.0) for x in levels
        )
        found[shift] = [ours, hosts]
    return found


# A weight for each image.


def weights_alone():
    """How far each picture of a batch is from the one of a run in which its weights are all's."""
    model = probe_nodes.ProbeModel().make()[0]
    pictures = random(3, 1, 128, 128, 3).sigmoid()
    net = control_net(1)
    lists = {
        "text": (4.0, 0.0, 1.0, 2.0),
        "other": (2.0, 3.0, 1.5, 0.0),
        "depth": (0.0, -1.0, 1.0, -1.5),
    }

    def made(pick, composition, correction):
        def told(name):
            if pick is None:
                return Guidance(1.0, weights=", ".join(map(str, lists[name])))
            return Guidance(lists[name][pick])

        connected = [
            inputs.condition(words(1), words(9), "text", told("text")),
            inputs.condition(words(2), words(9), "other", told("other")),
            inputs.depth(None, Control(net), pictures, told("depth")),
        ]
        choices = {"composition": composition, "correction": correction}
        return drawn(model, connected, batch=4, **choices)[0]

    found = {}
    kinds = [(c, "none") for c in ("leave_one_out", "independent", "chained", "nested", "joint",
                                   "weighted_negative", "perp_neg")]  # fmt: skip
    for composition, correction in [*kinds, ("leave_one_out", "apg")]:
        together = made(None, composition, correction)
        alone = [made(k, composition, correction)[k] for k in range(4)]
        found[f"{composition}, {correction}"] = [
            off(t, a) for t, a in zip(together, alone, strict=True)
        ]
    return found


# Caches that other nodes keep.


def cached_flux():
    """A network like Flux 2, whose references have a time of their own, under Flux KV Cache."""
    like = {"global_modulation": True, "guidance_embed": False, "vec_in_dim": None}
    before = dict(probe_models.SIZE)
    probe_models.SIZE.update(like)
    try:
        model = probe_models.ProbeDiT().make()[0]
    finally:
        probe_models.SIZE.clear()
        probe_models.SIZE.update(before)
    out = comfy_extras.nodes_flux.FluxKVCache.execute(model)
    return (out.result if hasattr(out, "result") else out.args)[0]


def flux_cache():
    """Ours with Flux KV Cache, a sum by hand in which each row has a cache of its own, and ours
    with another weight of the second reference."""
    model = cached_flux()
    pooled = {"pooled_output": random(2, 1, 128)}
    tokens = random(1, 1, 8, 128)
    shown = {n: random(k, 1, 16, 4, 4) for k, n in enumerate("ab", 5)}

    def with_references(names):
        options = {"reference_latents": [shown[n] for n in names]} if names else {}
        return [[tokens, {**pooled, **options}]]

    def ours(second):
        text = inputs.condition(with_references(""), None, "text", Guidance(1.0))
        told = [
            inputs.condition(with_references(n), with_references(""), n, Guidance(w))
            for n, w in (("a", 1.5), ("b", second))
        ]
        return drawn(model, [text, *told], steps=3, channels=16, side=8)[0]

    by_hand = ByHand(model, {n: with_references(n) for n in ("ab", "a", "b")})
    noise = torch.randn(1, 16, 8, 8, generator=torch.manual_seed(5))
    levels = comfy.samplers.calculate_sigmas(model.get_model_object("model_sampling"), "normal", 3)
    with torch.inference_mode():
        wanted = by_hand.sample(
            noise, torch.zeros_like(noise), comfy.samplers.sampler_object("euler"), levels, seed=5
        )
    found = ours(2.0)
    return {"off": off(found, wanted), "moved": off(ours(4.0), found)}


class ByHand(comfy.samplers.CFGGuider):
    """D_ab + 0.5 (D_ab - D_b) + 1 (D_ab - D_a), each row through a cache of its own."""

    def __init__(self, model, rows):
        super().__init__(model)
        self.inner_set_conds(rows)
        made = {n: cached_flux() for n in rows}
        self.patches = {
            n: m.model_options["transformer_options"]["patches"] for n, m in made.items()
        }
        self.cfg = 1.0

    def predict_noise(self, x, timestep, model_options={}, seed=None):  # noqa: B006
        d = {}
        for name, cond in self.conds.items():
            inner = {**model_options["transformer_options"], "patches": self.patches[name]}
            options = {**model_options, "transformer_options": inner}
            (d[name],) = comfy.samplers.calc_cond_batch(
                self.inner_model, [cond], x, timestep, options
            )
        return d["ab"] + 0.5 * (d["ab"] - d["b"]) + 1.0 * (d["ab"] - d["a"])


class Prefixes:
    """A network that keeps what it made of a prompt's start, as HiDream-O1 does."""

    def __init__(self):
        self._kv_cache_entries = []

    def clear_kv_cache(self):
        self._kv_cache_entries = []


def prefixes():
    """What the network finds of its own, for calls of rows a, b, a; and after the run."""
    network, kept, seen = Prefixes(), Kept(), []
    wrappers = apart({}, kept, network)["transformer_options"]["wrappers"]
    (run,) = next(iter(wrappers.values()))["mmc_apart"]

    def call(x, t, c_concat, c_crossattn, control, options, **_):
        seen.append(list(network._kv_cache_entries))
        network._kv_cache_entries = [*network._kv_cache_entries, x]

    for rows in ("a", "b", "a"):
        run(call, rows, None, transformer_options={"uuids": [rows]})
    return [*seen, network._kv_cache_entries]


def autoregressive():
    """The refusal of a sampler that keeps keys and values of one row."""
    function = getattr(comfy.k_diffusion.sampling, "sample_ar_video", None)
    if function is None:
        return None
    told = [inputs.condition(words(1), words(9), "text", Guidance(4.0))]
    guider = make_guider(
        probe_nodes.ProbeModel().make()[0], {"0": told[0]}, Choices("leave_one_out", 1.0)
    )
    noise = torch.zeros(1, 4, 16, 16)
    sampler = comfy.samplers.KSAMPLER(function)
    return refusal(lambda: guider.sample(noise, noise, sampler, torch.tensor([1.0, 0.0])))


# Speeds.


def speeds():
    model = probe_nodes.ProbeModel().make()[0]
    told = [
        inputs.condition(words(k), words(9), f"text {k}", Guidance(w))
        for k, w in ((1, 4.0), (2, 2.0), (3, 1.5))
    ]
    found = {}
    for sampler, steps, speed in (
        ("res_multistep", 6, "fast"), ("dpmpp_2m_cfg_pp", 6, "balanced"), ("euler", 6, "fast"),
        ("euler", 3, "balanced"), ("dpmpp_2m_sde_gpu", 6, "fast"), ("uni_pc", 6, "balanced"),
    ):  # fmt: skip
        made, guider = drawn(model, told, steps, sampler=sampler, speed=speed)
        exact, _ = drawn(model, told, steps, sampler=sampler)
        said = run_report(guider).warnings
        found[f"{sampler} {steps} {speed}"] = [
            off(made, exact), [s for s in said if "speed" in s], guider.run.planner.steps[-1].kept
        ]  # fmt: skip
    guider = make_guider(
        model, {str(k): m for k, m in enumerate(told)}, Choices("leave_one_out", 1.0, "fast")
    )

    def sample_euler(model, x, sigmas, extra_args=None, callback=None, disable=None):
        return comfy.k_diffusion.sampling.sample_euler(
            model, x, sigmas, extra_args, callback, disable
        )

    noise = random(1, 1, 4, 16, 16)
    with torch.inference_mode():
        guider.sample(
            noise, torch.zeros_like(noise), comfy.samplers.KSAMPLER(sample_euler),
            torch.linspace(10, 0, 8), seed=1,
        )  # fmt: skip
    found["of another pack"] = list(run_report(guider).warnings)
    with torch.inference_mode():
        guider.sample(
            noise, torch.zeros_like(noise), comfy.samplers.sampler_object("euler"),
            torch.linspace(10, 0, 8), seed=1,
        )  # fmt: skip
    found["next run"] = [guider.run.said, guider.program.composition]
    return found


def bad_windows():
    picture = random(3, 1, 128, 128, 3).sigmoid()
    told = Guidance(2.0, 0.6, 0.2)
    net = Control(control_net(1))
    return [
        refusal(lambda: inputs.depth(None, net, picture, told)),
        refusal(lambda: inputs.condition(words(1), words(9), "mine", told)),
        refusal(lambda: inputs.depth(None, net, picture, Guidance(2.0, weights="2, x"))),
    ]


PARTS = {
    "frames": frames_under_windows, "decisions": decisions, "steps of a range": steps_of_a_range,
    "weights": weights_alone, "flux cache": flux_cache, "prefixes": prefixes,
    "autoregressive": autoregressive, "speeds": speeds, "bad windows": bad_windows,
}  # fmt: skip
asked = inside.ASKED or list(PARTS)
sys.stdout.write(json.dumps({name: PARTS[name]() for name in asked}) + "\n")
