"""How far each speed ends from exact under every sampler of ComfyUI, on the embedded model.

Run by the host's Python in the host's folder, on the CPU; an hour on two cores. The
last line of standard output is a JSON object; --table puts it into mm_core/guidance/samplers.py,
in the place of what was measured there before.
"""

import argparse
import importlib
import json
import sys
from pathlib import Path


def options():
    p = argparse.ArgumentParser()
    p.add_argument("--scenes", type=int, default=8)
    p.add_argument("--steps", type=int, nargs="+", default=[6, 10, 25])
    p.add_argument("--samplers", nargs="+", help="default: all of the host's")
    p.add_argument("--table", type=Path, help="the module: mm_core/guidance/samplers.py")
    return p.parse_args()


given = options()

sys.path.insert(0, str(Path(__file__).parent))
from in_host import load_pack, torch  # isort: skip  # noqa: E402  before any of the host

import comfy.samplers  # noqa: E402
import comfy.utils  # noqa: E402

PACK = load_pack()
INPUTS = ("text", "style", "depth")
SEED = 910_000
SPEEDS = ("balanced", "fast")


def ours(name):
    return importlib.import_module(f"{PACK}.{name}")


class Scenes:
    """Held-out scenes as a batch, on the host's MODEL."""

    def __init__(self, count):
        core, _ = ours("mm_core.embedded.weights").load_embedded()
        comfy.utils.set_progress_bar_enabled(False)
        self.decode, self.count = core.autoencoder.decode, count
        self.model, _, _, adapters, _ = ours("nodes.host.embedded").load_embedded_model()
        case = ours("mm_core.evaluation.cases").held_out(count, SEED)
        encoded = ours("mm_core.evaluation.cases").encode_case(core, case, INPUTS)
        effects, types = ours("nodes.host.effects"), ours("mm_core.types")
        weights = ours("mm_core.embedded.defaults").WEIGHTS
        text = encoded.pop("text")
        none = text.null.expand_as(text.tokens)
        told = {"text": effects.TextEffect([[text.tokens, {}]], [[none, {}]])}
        told |= {n: effects.EmbeddedEffect(e, adapters.base) for n, e in encoded.items()}
        self.modalities = {
            n: effects.HostModality(types.Modality(n, weights[n]), effect)
            for n, effect in told.items()
        }

    def drawn(self, sampler, steps, speed="exact", push=1.0):
        """Pictures 0 to 1."""
        make, sample = ours("nodes.host.make"), ours("nodes.host.sample")
        guider = make.make_guider(
            self.model, self.modalities, make.Choices("leave_one_out", push, speed)
        )
        latent = {"samples": torch.zeros(self.count, 8, 16, 16)}
        out = sample.sample_with(guider, 1, steps, sampler, "normal", 1.0, latent)["samples"]
        return self.decode(out).clamp(0, 1)


def decibels(a, b):
    """PSNR in the mean of the pictures; 120 where they are the same."""
    error = (a - b).square().flatten(1).mean(1).sqrt().clamp(min=1e-6)
    return float(-20 * error.log10().mean())


def measured(scenes, sampler, steps):
    """Decibels to exact of each speed, and of no guidance at all."""
    exact = scenes.drawn(sampler, steps)
    found = {speed: decibels(scenes.drawn(sampler, steps, speed), exact) for speed in SPEEDS}
    return {**found, "none": decibels(scenes.drawn(sampler, steps, push=0.0), exact)}


@torch.inference_mode()
def main():
    scenes = Scenes(given.scenes)
    keep_every_speed()
    found = {}
    for steps in given.steps:
        for sampler in given.samplers or names():
            found.setdefault(sampler, {})[steps] = measured(scenes, sampler, steps)
            sys.stderr.write(f"{sampler} {steps}: {found[sampler][steps]}\n")
    if given.table:
        write_table(given.table, found)
    sys.stdout.write(json.dumps(found) + "\n")


def names():
    """The host's samplers, each once: on the CPU those of a GPU are the same, and ddim is euler."""
    every = comfy.samplers.KSampler.SAMPLERS
    return [n for n in every if not n.endswith("_gpu") and n != "ddim"]


def keep_every_speed():
    """Lets the guider run what is asked for, whatever was measured before."""
    ours("nodes.host.guider").speed_under = lambda speed, *_: (speed, "")


def write_table(path, measured):
    """Puts what was measured into the table of a module; what else was there stays."""
    found = {n: dict(by) for n, by in ours("mm_core.guidance.samplers").MEASURED.items()}
    for sampler, by_steps in measured.items():
        for steps, f in by_steps.items():
            found.setdefault(sampler, {})[steps] = (f["balanced"], f["fast"], f["none"])
    lines = [
        f'    "{sampler}": {{'
        + ", ".join(
            f"{steps}: ({f[0]:.1f}, {f[1]:.1f}, {f[2]:.1f})"
            for steps, f in sorted(by_steps.items())
        )
        + "},\n"
        for sampler, by_steps in found.items()
    ]
    before, rest = path.read_text().split(BEGIN)
    path.write_text(before + BEGIN + "".join(lines) + END + rest.split(END, 1)[1])


BEGIN, END = "MEASURED: Measured = {\n", "}\n# fmt: on"

main()
