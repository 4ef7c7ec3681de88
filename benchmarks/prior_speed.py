"""A prior of Kandinsky 2.2's full size with random weights: our sampler against diffusers'.

Run from the pack's folder, with the parity extra installed: python benchmarks/prior_speed.py
Needs about 9 GB of memory and, for the file, 4 GB of disk. Prints one JSON object as its last line.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).absolute().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "parity")]

import torch  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

DIM, WORDS = 1280, 77
GIGA = 1e9


def main():
    given = arguments()
    torch.set_num_threads(given.threads)
    if given.load:
        sys.stdout.write(json.dumps(load(Path(given.load))) + "\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prior.safetensors"
        found = {"threads": given.threads, "steps": given.steps, **compare(path, given.steps)}
        command = [sys.executable, __file__, "--load", str(path), "--threads", str(given.threads)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found["ours_alone"] = json.loads(done.stdout.splitlines()[-1])
    sys.stdout.write(json.dumps(found) + "\n")


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--steps", type=int, default=25)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--load", help="only load this file, run one step, and tell the peak memory")
    return p.parse_args()


def compare(path, steps):
    """Both pipelines with the same weights in one process, one after the other."""
    from priors import encode, full_pipeline

    from mm_core.priors.diffusion import DiffusionPrior
    from mm_core.priors.prior import Request
    from mm_core.priors.space import CLIP_BIGG
    from mm_core.priors.transformer import PriorTransformer, Sizes

    theirs = full_pipeline(DIM, WORDS)
    state = theirs.prior.state_dict()
    save_file(state, path)
    with torch.device("meta"):
        network = PriorTransformer(Sizes(DIM, 2048, 32, 20, WORDS))
    network.load_state_dict(state, assign=True)
    ours = DiffusionPrior(network.eval().requires_grad_(False), CLIP_BIGG)
    text, empty = encode(theirs, ["a red bird"]), encode(theirs, [""])

    def run_theirs(count):
        generator = [torch.Generator().manual_seed(3)]
        return theirs(["a red bird"], generator=generator, num_inference_steps=count).image_embeds

    def run_ours(count):
        return ours.sample(text, Request((3,), count), empty).vectors

    run_theirs(2)
    run_ours(2)
    seconds, out = {}, {}
    for name, run in (("diffusers", run_theirs), ("ours", run_ours)):
        started = time.perf_counter()
        out[name] = run(steps)
        seconds[name] = round(time.perf_counter() - started, 2)
    return {
        "parameters": sum(p.numel() for p in theirs.prior.parameters()),
        "seconds": seconds,
        "ratio": round(seconds["ours"] / seconds["diffusers"], 3),
        "difference": (out["ours"] - out["diffusers"]).abs().max().item(),
        "scale": out["diffusers"].abs().max().item(),
    }


def load(path):
    """Peak memory of a process that loads the file and runs a step, weights included."""
    from mm_core.priors.load import load_prior
    from mm_core.priors.prior import PriorText, Request

    before = peak()
    started = time.perf_counter()
    prior = load_prior(path)
    seconds = time.perf_counter() - started
    loaded = peak()
    mask = torch.ones(1, WORDS, dtype=torch.bool)
    text = PriorText(torch.zeros(1, DIM), torch.zeros(1, WORDS, DIM), mask)
    prior.sample(text, Request((1,), 2), text)
    return {
        "load_seconds": round(seconds, 2),
        "peak_before_gb": round(before, 2),
        "peak_loaded_gb": round(loaded, 2),
        "peak_sampled_gb": round(peak(), 2),
    }


def peak():
    """Of this process alone; what getrusage tells begins with its parent's."""
    said = Path("/proc/self/status").read_text().split("VmHWM:")[1]
    return int(said.split()[0]) * 1024 / GIGA


if __name__ == "__main__":
    main()
