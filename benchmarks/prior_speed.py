"""A prior of Kandinsky 2.2's full size with random weights: our sampler against diffusers'.

Run from the pack's folder, with the parity extra installed: python benchmarks/prior_speed.py
Needs about 9 GB of memory and, for the file, 4 GB of disk. Both load the same file, each as its
users do. Times are of both in one process, taking turns; peaks of each in a process of its own,
which has imported diffusers and built the text tower in either case. Prints one JSON object as its
last line.
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

DIM, WORDS = 1280, 77
GIGA, MEGA = 1e9, 1e6
PROMPTS = {  # a letter is a token here
    "12 tokens": "a red bird",
    "77 tokens": "a red bird on a branch in the rain, seen from below, painted with a wide brush",
}
SIDES = ("diffusers", "ours")


def main():
    given = arguments()
    torch.set_num_threads(given.threads)
    if given.part:
        sys.stdout.write(json.dumps(part(given)) + "\n")
        return
    found = {"threads": given.threads, "steps": given.steps, "rounds": given.rounds}
    with tempfile.TemporaryDirectory() as folder:
        run = [sys.executable, __file__, "--folder", folder, "--steps", str(given.steps)]
        run += ["--threads", str(given.threads), "--rounds", str(given.rounds), "--part"]
        for name in ("make", *SIDES, "times"):
            done = subprocess.run([*run, name], stdout=subprocess.PIPE, text=True, check=True)
            found[name] = json.loads(done.stdout.splitlines()[-1])
    sys.stdout.write(json.dumps(found) + "\n")


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--steps", type=int, default=25)
    p.add_argument("--rounds", type=int, default=2)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--part", help="of the measurement, in a process of its own")
    p.add_argument("--folder", type=Path, help="where that part finds the file")
    return p.parse_args()


def part(given):
    if given.part == "make":
        return make(given.folder)
    if given.part in SIDES:
        return alone(given.part, given.folder, given.steps)
    return times(given.folder, given.steps, given.rounds)


def make(folder):
    """The published layout of diffusers: a configuration and one file of tensors."""
    from priors import full_transformer

    prior = full_transformer(DIM, WORDS)
    prior.save_pretrained(folder)
    return {"parameters": sum(p.numel() for p in prior.parameters())}


def alone(side, folder, steps):
    """Peak memory of a process that loads the file and samples."""
    from priors import full_pipeline

    prompt = PROMPTS["77 tokens"]
    built = full_pipeline(None, DIM, WORDS)
    before = peak()
    started = time.perf_counter()
    run = sampler(side, folder, built, prompt)
    seconds, loaded = time.perf_counter() - started, peak()
    run(steps)
    return {
        "load_seconds": round(seconds, 2),
        "peak_before_gb": round(before, 3),
        "peak_loaded_gb": round(loaded, 3),
        "peak_sampled_gb": round(peak(), 3),
    }


def sampler(side, folder, built, prompt):
    """How many steps -> the embedding. Loads the prior; encodes the prompt in any case."""
    if side == "ours":
        return our_sampler(our_prior(folder), built, prompt)
    from diffusers import PriorTransformer

    built.prior = PriorTransformer.from_pretrained(folder).eval()
    return their_sampler(built, prompt)


def our_prior(folder):
    from mm_core.priors.load import load_prior

    return load_prior(next(folder.glob("*.safetensors")))


def our_sampler(prior, built, prompt):
    from priors import encode

    from mm_core.priors.prior import Request

    def run(steps):
        text, empty = encode(built, [prompt]), encode(built, [""])
        return prior.sample(text, Request((3,), steps), empty).vectors

    return run


def their_sampler(built, prompt):
    def run(steps):
        generator = [torch.Generator().manual_seed(3)]
        return built(prompt, generator=generator, num_inference_steps=steps).image_embeds

    return run


def times(folder, steps, rounds):
    """Wall and processor time of each round, and what the two sides' embeddings differ by."""
    from priors import full_pipeline

    built = full_pipeline(None, DIM, WORDS)
    their_run = sampler("diffusers", folder, built, PROMPTS["12 tokens"])
    prior = our_prior(folder)
    found = {}
    their_run(2)
    our_sampler(prior, built, PROMPTS["12 tokens"])(2)
    for _ in range(rounds):
        for name, prompt in PROMPTS.items():
            runs = {"diffusers": their_sampler(built, prompt)}
            runs["ours"] = our_sampler(prior, built, prompt)
            entry = found.setdefault(name, {"wall": {}, "processor": {}})
            out = {}
            for side, run in runs.items():
                wall, cpu = time.perf_counter(), time.process_time()
                out[side] = run(steps)
                for kind, now in (
                    ("wall", time.perf_counter() - wall),
                    ("processor", time.process_time() - cpu),
                ):
                    entry[kind].setdefault(side, []).append(round(now, 2))
            entry["difference"] = (out["ours"] - out["diffusers"]).abs().max().item()
            entry["scale"] = out["diffusers"].abs().max().item()
    for name, entry in found.items():
        for kind in ("wall", "processor"):
            ours, theirs = (sum(entry[kind][side]) for side in ("ours", "diffusers"))
            entry[f"{kind}_ratio"] = round(ours / theirs, 3)
        entry["prefix_mb"] = round(prefix_bytes(prior, built, PROMPTS[name]) / MEGA, 1)
    return found


@torch.inference_mode()
def prefix_bytes(prior, built, prompt):
    """What a run keeps of its two texts."""
    from priors import encode

    from mm_core.priors.prior import join

    text = join(encode(built, [""]), encode(built, [prompt]))
    kept = prior.network.read(text).layers
    return sum(part.nbytes for layer in kept for part in (layer.keys, layer.values))


def peak():
    """Of this process alone; what getrusage tells begins with its parent's."""
    said = Path("/proc/self/status").read_text().split("VmHWM:")[1]
    return int(said.split()[0]) * 1024 / GIGA


if __name__ == "__main__":
    main()
