"""What image prompts cost: ours beside another pack's, on a network of SD 1.5's layout.

Run by the host's Python in the host's folder, on the CPU. --peer: a checkout of the other pack;
ours alone without it. The last line of standard output is a JSON object of tables.
"""

import argparse
import importlib
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path


def options():
    p = argparse.ArgumentParser()
    p.add_argument("--peer", type=Path, help="a checkout of ComfyUI_IPAdapter_plus")
    p.add_argument("--steps", type=int, default=10)
    p.add_argument("--repeats", type=int, default=5, help="rounds of each size")
    p.add_argument("--channels", type=int, default=320, help="320 is SD 1.5; less is a quick check")
    return p.parse_args()


given = options()

from in_host import conditioning, load_pack, random_model, torch  # isort: skip  # noqa: E402  before any of the host

import comfy.samplers  # noqa: E402
import comfy_extras.nodes_custom_sampler as custom_sampler  # noqa: E402
import folder_paths  # noqa: E402
from ip_adapter_peer import Peer  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from watch_attention import Projections, Watch  # noqa: E402

PACK = load_pack()


def ours(name):
    return importlib.import_module(f"{PACK}.{name}")


core = ours("mm_core.adapters.ip_adapter.sites")
prompts = ours("nodes.host.ip_adapter.prompt")
inputs = ours("nodes.host.modality")

FILE, CLIP, CONTEXT, TOKENS, SCALE = "random.safetensors", 1024, 768, 4, 7.0
WIDTHS = tuple(given.channels * m for m in (1, 2, 4, 4))
SITES = core.sites(core.Architecture("SD1.5", CONTEXT, WIDTHS, core.SD15.depths, 1))
BARE, APPLIED, GUIDED = "the bare UNet", "ours: Apply Image Prompt", "ours: Multimodal Guider"
SIZES = {8: 4, 32: 1}  # rows and columns of the latent: steps of a timed run
SHORT = 2  # steps where more would say the same


def random(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def fill(network):
    """Weights that keep activations near size 1, so that what is heard is not lost."""
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if weight.ndim > 1:
                weight.normal_(0, weight[0].numel() ** -0.5, generator=rng)
            else:
                weight.normal_(0, 0.05, generator=rng).add_("norm" in name)


def write_adapter(folder):
    """A random base adapter in the layout of ip-adapter_sd15."""
    tensors = {
        "image_proj.proj.weight": random(1, TOKENS * CONTEXT, CLIP) * CLIP**-0.5,
        "image_proj.proj.bias": random(2, TOKENS * CONTEXT) * 0.1,
        "image_proj.norm.weight": 1 + 0.1 * random(3, CONTEXT),
        "image_proj.norm.bias": 0.1 * random(4, CONTEXT),
    }
    for site in SITES:
        for k, part in enumerate(("k", "v")):
            drawn = random(10 * site.index + k, site.width, CONTEXT) * 2 * CONTEXT**-0.5
            tensors[f"ip_adapter.{site.index}.to_{part}_ip.weight"] = drawn
    save_file(tensors, folder / FILE)


class Vision:
    """A CLIP vision that gives these features for any picture."""

    def __init__(self, features):
        self.features = features

    def encode_image(self, image):
        return {"image_embeds": self.features}


class Ours:
    """Image prompts of this pack on a MODEL."""

    def __init__(self, adapter):
        self.adapter = adapter

    def style(self, features, weight=SCALE, **look):
        look = prompts.Style(absent="null picture", **look)
        picture, vision = torch.zeros(1, 64, 64, 3), Vision(features)
        told = inputs.Guidance(weight)
        return inputs.style(None, self.adapter, vision, picture, look, told)

    def applied(self, model, *modalities):
        """A guider of the host's own on what Apply Image Prompt gives."""
        apply = ours("nodes.host.ip_adapter.plain").apply_prompt
        ends = conditioning(1), conditioning(2)
        for modality in modalities:
            model, *ends = apply(model, *ends, modality)
        return plain(model, *ends)

    def guided(self, model, *modalities, composition="leave_one_out"):
        make = ours("nodes.host.make")
        text = inputs.condition(conditioning(1), conditioning(2), "text", inputs.Guidance(SCALE))
        connected = {str(k): m for k, m in enumerate((text, *modalities))}
        return make.make_guider(model, connected, make.Choices(composition, 1.0))

    def layers(self):
        return [m for m in self.adapter.patcher.model.ip_adapter.modules() if hasattr(m, "weight")]


def plain(model, positive=None, negative=None):
    guider = comfy.samplers.CFGGuider(model)
    guider.set_conds(positive or conditioning(1), negative or conditioning(2))
    guider.set_cfg(SCALE)
    return guider


@torch.inference_mode()
def run(guider, steps, side=8):
    """The finished latent, and the processor seconds it took: others may share the machine."""
    sampler = comfy.samplers.sampler_object("euler")
    sampling = guider.model_patcher.get_model_object("model_sampling")
    sigmas = comfy.samplers.calculate_sigmas(sampling, "normal", steps)
    noise, began = random(3, 1, 4, side, side), time.process_time()
    latent = guider.sample(
        noise, torch.zeros_like(noise), sampler, sigmas, disable_pbar=True, seed=3
    )
    return latent, time.process_time() - began


def off(found, wanted):
    return float((found - wanted).abs().max() / wanted.abs().max())


class Bench:
    """One watched MODEL, and what measures it."""

    def __init__(self, model, mine, peer):
        self.watch = Watch([site.key for site in SITES])
        self.model, self.mine, self.peer = self.watch.on(model), mine, peer
        self.projections = Projections()
        self.projections.of(mine.layers())

    def theirs(self, *pictures):
        """A guider of the host's own on the peer's MODEL; its projections are counted from now."""
        model = self.model
        for features in pictures:
            model = self.peer.applied(model, features)
        self.projections.of(self.peer.layers(model))
        return plain(model)

    def makers(self, pictures):
        """How guiders of one or more pictures are made, by name."""
        styles = [lambda f=f: self.mine.style(f) for f in pictures]
        made = {
            APPLIED: lambda: self.mine.applied(self.model, *(s() for s in styles)),
            GUIDED: lambda: self.mine.guided(
                self.model, *(s() for s in styles), composition="joint"
            ),
        }
        return {**made, **({self.peer.name: lambda: self.theirs(*pictures)} if self.peer else {})}

    def counted(self, make, steps):
        """What one run of a guider does, from when its nodes run."""
        self.watch.reset()
        self.watch.counting, self.projections.count = True, 0
        run(make(), steps)
        self.watch.counting = False
        watch = self.watch
        blocks = (f"{watch.blocks[b] / watch.calls:g}" for b in ("input", "middle", "output"))
        return {
            "K/V projections a run": self.projections.count,
            "layers heard: down, middle, up": ", ".join(blocks),
            "numbers read in attention, a step": watch.reads / steps,
            "copies to the CPU in attention, a step": watch.copies / steps,
            "UNet calls a step": watch.calls / steps,
            "rows a step": watch.rows / steps,
        }  # fmt: skip


def one_picture(bench, features):
    makers = {BARE: lambda: plain(bench.model), **bench.makers([features])}
    lines = [{"": name, **bench.counted(make, given.steps)} for name, make in makers.items()]
    about = (
        f"One picture, {given.steps} steps of euler, guidance {SCALE:g}, prompt and no prompt as "
        "rows. Counted by hooks on the adapter's linear layers, on PyTorch's reads of single "
        "numbers and on Python's copies to the CPU: each makes a GPU finish first."
    )
    return table("counts", about, lines)


def several(bench):
    """Calls and rows by the number of pictures: with a weight for each, and with one for all."""
    lines = []
    for count in (1, 2, 3, 5):
        pictures = [random(100 + k, 1, CLIP) for k in range(count)]
        styles = [lambda f=f: bench.mine.style(f, 2.0) for f in pictures]
        each = {
            f"{GUIDED}, a weight each": lambda s=styles: bench.mine.guided(
                bench.model, *(style() for style in s)
            )
        }
        joint = {f"{n}, one weight": m for n, m in bench.makers(pictures).items() if n != GUIDED}
        for name, make in {**each, **joint}.items():
            found = bench.counted(make, SHORT)
            kept = ("UNet calls a step", "rows a step", "K/V projections a run")
            lines.append({"pictures": count, "": name, **{k: found[k] for k in kept}})
    about = (
        f"Text and several pictures, {SHORT} steps. A weight each needs a row without each "
        "input; they share a call. Every picture has an adapter of its own at the peer."
    )
    return table("pictures", about, lines)


def times(bench, features):
    makers = {BARE: lambda: plain(bench.model), **bench.makers([features])}
    guiders = {name: make() for name, make in makers.items()}
    lines = []
    for side, steps in SIZES.items():
        seconds = {name: [] for name in guiders}
        inside = {name: [] for name in guiders}
        for guider in guiders.values():
            run(guider, 1, side)
        for k in range(given.repeats):
            for name in list(guiders)[:: 1 if k % 2 else -1]:
                bench.watch.reset()
                seconds[name].append(run(guiders[name], steps, side)[1])
                inside[name].append(bench.watch.seconds)
            sys.stderr.write(f"{8 * side} pixels, round {k + 1} of {given.repeats}\n")
        for name in list(guiders)[1:]:
            whole = ratios(seconds[name], seconds[BARE])
            low, high = min(whole), max(whole)
            lines.append(
                {
                    "pixels": 8 * side,
                    "": name,
                    "time over the bare UNet": statistics.median(whole),
                    "lowest to highest": f"{low:.3f} to {high:.3f}",
                    "time in text attention over bare": statistics.median(
                        ratios(inside[name], inside[BARE])
                    ),
                }
            )
    about = (
        f"Processor time on one core, in turns in one process: the median of {given.repeats} "
        f"rounds, each over the bare UNet's of the same round; runs of {SIZES[8]} steps at 64 "
        f"pixels and of {SIZES[32]} at 256. What is made when nodes run is not in it."
    )
    return table("time", about, lines)


def ratios(some, others):
    return [a / b for a, b in zip(some, others, strict=True)]


class Rows(comfy.samplers.CFGGuider):
    """The mean of any number of rows, numbered as the host numbers them."""

    def predict_noise(self, x, timestep, model_options={}, seed=None):  # noqa: B006
        rows = list(self.conds.values())
        found = comfy.samplers.calc_cond_batch(self.inner_model, rows, x, timestep, model_options)
        return sum(found) / len(found)


def outcome(make):
    """What a run ends with: fine, or the name of its error."""
    try:
        latent, _ = run(make(), 1)
    except Exception as e:  # whatever another pack raises is what is asked
        return type(e).__name__
    return "fine" if bool(latent.isfinite().all()) else "not finite"


def rows_of_the_host(bench, features):
    """More than two rows through guiders of the host's kind."""
    cases = {f"{n} rows": [1] * n for n in (2, 3, 4, 5)}
    cases["3 rows, one of them in a call of its own"] = [1, 6, 1]  # too long for the others
    patched = {APPLIED: bench.mine.applied(bench.model, bench.mine.style(features)).model_patcher}
    if bench.peer:
        patched[bench.peer.name] = bench.peer.applied(bench.model, features)

    def guider(model, lengths):
        out = Rows(model)
        prompts = {f"row {k}": [[random(k, 1, 77 * n, CONTEXT), {}]] for k, n in enumerate(lengths)}
        out.inner_set_conds(prompts)
        return out

    def dual(model):
        out = custom_sampler.Guider_DualCFG(model)
        out.set_conds(*(conditioning(k) for k in (1, 2, 3)))
        out.set_cfg(3.0, 2.0, nested=False)
        return out

    lines = [
        {
            "": name,
            **{case: outcome(lambda m=m, n=n: guider(m, n)) for case, n in cases.items()},
            "DualCFGGuider": outcome(lambda m=m: dual(m)),
        }
        for name, m in patched.items()
    ]
    return table("rows", "Rows numbered 0, 1, 2, ... by a guider of the host's kind:", lines)


def faults(bench, features):
    """Two graphs on one MODEL, and the middle block."""
    lines = []
    other = random(7, 1, CLIP)
    first = bench.mine.applied(bench.model, bench.mine.style(features))
    before = run(first, SHORT)[0]
    bench.mine.applied(first.model_patcher, bench.mine.style(other))
    changed = {"ours": off(run(first, SHORT)[0], before)}
    if bench.peer:
        theirs = bench.peer.applied(bench.model, features)
        before = run(plain(theirs), SHORT)[0]
        bench.peer.applied(theirs, other)
        changed[bench.peer.name] = off(run(plain(theirs), SHORT)[0], before)
    for name, change in changed.items():
        lines.append({"": name, "change by a second graph that was built, not run": change})
    if bench.peer:
        model = plain(bench.peer.applied(bench.model, features))
        wanted = run(model, SHORT)[0]
        middle = next(s.place for s in SITES if s.block == "middle")
        layers = ", ".join(f"{p}:1" for p in range(len(SITES)) if p != middle)
        without = bench.mine.applied(bench.model, bench.mine.style(features, layers=layers))
        whole = bench.mine.applied(bench.model, bench.mine.style(features))
        key = f"distance to {bench.peer.name}"
        lines[0][key] = off(run(whole, SHORT)[0], wanted)
        lines[1][key] = 0.0
        lines.insert(
            1, {"": "ours, the middle layer off", key: off(run(without, SHORT)[0], wanted)}
        )
    about = (
        "Largest difference of latents as a share of the largest value. The second graph puts "
        "another picture on the first one's MODEL."
    )
    return table("graphs", about, lines)


def table(name, about, lines):
    sys.stderr.write(f"{name}: {json.dumps(lines)}\n")
    return {"about": about, "lines": lines}


def main():
    torch.set_num_threads(1)  # threads that wait for a busy core would be all that is measured
    model = random_model(given.channels)
    fill(model.model.diffusion_model)
    with tempfile.TemporaryDirectory() as folder:
        write_adapter(Path(folder))
        folder_paths.add_model_folder_path("ipadapter", folder)
        mine = Ours(ours("nodes.host.ip_adapter.files").load(FILE))
        peer = Peer(given.peer.absolute(), FILE) if given.peer else None
        bench, features = Bench(model, mine, peer), random(5, 1, CLIP)
        tables = [
            one_picture(bench, features),
            several(bench),
            times(bench, features),
            rows_of_the_host(bench, features),
            faults(bench, features),
        ]
    million = round(sum(p.numel() for p in model.model.diffusion_model.parameters()) / 1e6)
    result = {"peer": peer and peer.name, "million parameters": million, "tables": tables}
    sys.stdout.write(json.dumps(result) + "\n")


main()
