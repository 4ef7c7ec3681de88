"""Our guider against ComfyUI's CFGGuider on a network of the SD 1.5 layout, in one process.

Run by the host's Python in the host's folder, on the CPU. The last line of standard output is a
JSON object: ratios of ours over the host's, measured in turns.
"""

import argparse
import importlib
import json
import resource
import statistics
import sys
import time
import tracemalloc

NOT_OF_CONTROL = ("out_channels", "transformer_depth_output", "model_channels")
SCALE, SIDE = 7.0, 8


def options():
    p = argparse.ArgumentParser()
    p.add_argument("--repeats", type=int, default=5)
    p.add_argument("--steps", type=int, default=4)
    p.add_argument("--long", type=int, default=12, help="steps of the runs with three inputs")
    p.add_argument("--channels", type=int, default=320, help="320 is SD 1.5; less is a quick check")
    return p.parse_args()


given = options()

from in_host import SD15, conditioning, load_pack, manage, random_model, torch  # isort: skip  # noqa: E402  before any of the host

import comfy.cldm.cldm  # noqa: E402
import comfy.controlnet  # noqa: E402
import comfy.ops  # noqa: E402
import comfy.samplers  # noqa: E402
import comfy_extras.nodes_custom_sampler as custom_sampler  # noqa: E402


def random_control(channels, seed):
    """A ControlNet of the SD 1.5 layout whose zero convolutions are not zero."""
    net = comfy.cldm.cldm.ControlNet(
        **{k: v for k, v in SD15.items() if k not in NOT_OF_CONTROL}, model_channels=channels,
        hint_channels=3, operations=comfy.ops.manual_cast, dtype=torch.float32,
    )  # fmt: skip
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in net.parameters():
            weight.normal_(0, 0.02, generator=rng)
    return comfy.controlnet.ControlNet(net, load_device=manage.get_torch_device())


def applied(conditionings, control, picture):
    """ControlNetApplyAdvanced's result: one control object for all of these."""
    ready = control.copy().set_cond_hint(picture.movedim(-1, 1), 1.0, (0.0, 1.0))
    out = []
    for one in conditionings:
        before = one[0][1].get("control")
        if before is not None and ready.previous_controlnet is None:
            ready.set_previous_controlnet(before)
        out.append([[tokens, {**o, "control": ready}] for tokens, o in one])
    return out


def three_inputs(model, pack, controls):
    """Guiders for text and two ControlNets, by name: core's, and ours in each way to run."""
    make = importlib.import_module(f"{pack}.nodes.host.make")
    inputs = importlib.import_module(f"{pack}.nodes.host.modality")
    schedule = importlib.import_module(f"{pack}.mm_core.guidance.schedule")
    rng = torch.Generator().manual_seed(7)
    pictures = [torch.rand(1, 64, 64, 3, generator=rng) for _ in range(2)]
    text, none = conditioning(1), conditioning(2)

    def ours(weights=(7.0, 1.5, 1.5), composition="leave_one_out", speed="exact", curve=None):
        told = [inputs.Guidance(w, schedule=curve) for w in weights]
        nets = [inputs.Control(control) for control in controls]
        connected = {
            "0": inputs.condition(text, none, "text", told[0]),
            "1": inputs.depth(None, nets[0], pictures[0], told[1]),
            "2": inputs.pose(None, nets[1], pictures[1], None, told[2]),
        }
        return make.make_guider(model, connected, make.Choices(composition, 1.0, speed))

    plain = comfy.samplers.CFGGuider(model)
    both = applied(applied([text, none], controls[0], pictures[0]), controls[1], pictures[1])
    plain.set_conds(*both)
    plain.set_cfg(7.0)
    dual = custom_sampler.Guider_DualCFG(model)
    (one,) = applied([text], controls[0], pictures[0])
    (all_of_it,) = applied([one], controls[1], pictures[1])
    dual.set_conds(all_of_it, one, none)
    dual.set_cfg(1.5, 3.0, nested=False)
    band = schedule.Schedule("band", low=0.2, high=5.0)
    return {
        "core: CFGGuider, one weight for all": plain,
        "core: DualCFGGuider and ControlNetApply, two weights": dual,
        "ours: no guidance": ours((1.0, 1.0, 1.0)),
        "ours: joint, one weight for all": ours(composition="joint"),
        "ours: exact, three weights": ours(),
        "ours: exact in an interval of noise": ours(curve=band),
        "ours: balanced": ours(speed="balanced"),
        "ours: fast": ours(speed="fast"),
        "ours: draft": ours(speed="draft"),
    }


def compare(model, pack):
    """For each way to guide text and two ControlNets: calls and rows a step, and time."""
    controls = [random_control(given.channels, seed) for seed in (11, 12)]
    network = Calls(model.model.diffusion_model)
    nets = [Calls(control.control_model) for control in controls]
    guiders = three_inputs(model, pack, controls)
    lines, seconds = [], {name: [] for name in guiders}
    for name, guider in guiders.items():
        for counter in (network, *nets):
            counter.calls = counter.rows = 0
        run(guider, model, given.long)
        each = [c / given.long for c in (network.calls, network.rows, *(n.calls for n in nets))]
        keys = ("network calls", "rows", "calls of the first ControlNet", "of the second")
        lines.append({"method": name, **dict(zip(keys, each, strict=True))})
        sys.stderr.write(f"{name}: {each}\n")
    for k in range(3):
        for name in list(guiders)[:: 1 if k % 2 else -1]:
            seconds[name].append(run(guiders[name], model, given.long)[1])
    base = next(iter(seconds.values()))
    for line in lines:
        ratios = [a / b for a, b in zip(seconds[line["method"]], base, strict=True)]
        line["time over the first"] = statistics.median(ratios)
    return lines


def core_guider(model):
    guider = comfy.samplers.CFGGuider(model)
    guider.set_conds(conditioning(1), conditioning(2))
    guider.set_cfg(SCALE)
    return guider


def our_guider(model, pack):
    make = importlib.import_module(f"{pack}.nodes.host.make")
    inputs = importlib.import_module(f"{pack}.nodes.host.modality")
    text = inputs.condition(conditioning(1), conditioning(2), "text", inputs.Guidance(SCALE))
    return make.make_guider(model, {"text": text}, make.Choices("leave_one_out", 1.0))


class Calls:
    """Counts network calls and the rows in them."""

    def __init__(self, network):
        self.calls = self.rows = 0
        network.register_forward_pre_hook(self._count, with_kwargs=True)

    def _count(self, module, inputs, named):
        self.calls += 1
        self.rows += len(inputs[0] if inputs else named["x"])


def run(guider, model, steps):
    """The finished latent, and the processor seconds it took: others may share the machine."""
    sampler = comfy.samplers.sampler_object("euler")
    sigmas = comfy.samplers.calculate_sigmas(
        model.get_model_object("model_sampling"), "normal", steps
    )
    noise = torch.randn(1, 4, SIDE, SIDE, generator=torch.Generator().manual_seed(3))
    began = time.process_time()
    latent = guider.sample(
        noise, torch.zeros_like(noise), sampler, sigmas, disable_pbar=True, seed=3
    )
    return latent, time.process_time() - began


def main():
    torch.set_num_threads(1)  # threads that wait for a busy core would be all that is measured
    model, pack = random_model(given.channels), load_pack()
    counted = Calls(model.model.diffusion_model)
    guiders = {"core": core_guider(model), "ours": our_guider(model, pack)}
    found = {}
    for guider in guiders.values():  # what is loaded once is no guider's cost
        run(guider, model, 1)
    for name, guider in guiders.items():
        counted.calls = counted.rows = 0
        tracemalloc.start()
        latent, _ = run(guider, model, given.steps)
        python_peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        found[name] = {
            "latent": latent,
            "calls": counted.calls / given.steps,
            "rows": counted.rows / given.steps,
            "python": python_peak,
            "resident": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        }
    ratios, fastest = [], dict.fromkeys(guiders, float("inf"))
    for k in range(given.repeats):
        order = list(guiders) if k % 2 else list(guiders)[::-1]
        seconds = {name: run(guiders[name], model, given.steps)[1] for name in order}
        fastest = {name: min(fastest[name], s) for name, s in seconds.items()}
        ratios.append(seconds["ours"] / seconds["core"])
        sys.stderr.write(f"round {k + 1} of {given.repeats}: {ratios[-1]:.3f}\n")
    core, ours = found["core"], found["ours"]
    parameters = sum(p.numel() for p in model.model.diffusion_model.parameters())
    result = {
        "million parameters": round(parameters / 1e6),
        "latent side": SIDE,
        "steps": given.steps,
        "rounds": given.repeats,
        "calls a step, core": core["calls"],
        "calls a step, ours": ours["calls"],
        "rows a step, core": core["rows"],
        "rows a step, ours": ours["rows"],
        "largest difference": float((core["latent"] - ours["latent"]).abs().max()),
        "largest value": float(core["latent"].abs().max()),
        "time, ours over core": statistics.median(ratios),
        "time, fastest over fastest": fastest["ours"] / fastest["core"],
        "time, lowest round": min(ratios),
        "time, highest round": max(ratios),
        "peak Python memory, ours over core": ours["python"] / core["python"],
        "peak resident memory, after ours over after core": ours["resident"] / core["resident"],
    }
    result["three inputs"] = {"steps": given.long, "methods": compare(model, pack)}
    sys.stdout.write(json.dumps(result) + "\n")


main()
