"""Measures every comparison with diffusers and DALLE2-pytorch and writes docs/parity.md.

Run from the pack's folder, with the parity extra installed: python scripts/make_parity.py
tests/parity/test_priors.py says what DALLE2-pytorch needs; without it its rows are left out.
"""

import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).absolute().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "parity")]

import diffusers
import prior_cases
import torch
import transformers
import transformers_cases
import unet_cases

from mm_core.weights.save import write_text

OUT = ROOT / "docs" / "parity.md"
PACKAGES = ("torch", "diffusers", "transformers")
HEAD = """# Parity with diffusers and DALLE2-pytorch

Written by `python scripts/make_parity.py`; the same comparisons are tests: `pytest -m parity`.

Adapter files with random weights, in their published layouts at reduced widths, are loaded by
diffusers and by `mm_core`, and the whole network is run both ways on the CPU in float32, two rows
of a batch. *Difference* is the largest of any output number; *effect* is what the adapter itself
changes, in diffusers, so that a comparison of nothing would show.

| comparison | difference | tolerance | effect |
|---|---|---|---|
"""
PRIORS = """
## Priors

Priors of random weights in their published layouts at reduced widths, loaded through a file. A row
of several steps compares every embedding on the way and the last, or the whole pipeline from the
prompt on. *Effect* is what the text, the guidance or the way from the noise changes.

| comparison | difference | tolerance | effect |
|---|---|---|---|
"""
TAIL = """
Not here, because diffusers has nothing to compare with: InstantX's adapter for Flux, the low-rank
weights of FaceID (diffusers needs another package for them), weight types, scalings of keys and
values, and ways to combine features. They are tested against their formulas.

Made with {versions}.
"""


def main():
    torch.manual_seed(0)
    rows = []
    for module in (unet_cases, transformers_cases):
        for name, measure in module.cases().items():
            start = time.monotonic()
            found = measure()
            print(f"{name}: {found.difference:.1e} ({time.monotonic() - start:.1f} s)", flush=True)
            if found.difference > module.TOLERANCE:
                raise SystemExit(f"{name}: {found.difference:.1e} is above {module.TOLERANCE:.0e}")
            rows.append(
                f"| {name} | {found.difference:.1e} | {module.TOLERANCE:.0e} "
                f"| {found.effect:.2f} |\n"
            )
    packages = list(PACKAGES)
    if prior_cases.has_dalle2():
        packages.append("dalle2-pytorch")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    tail = TAIL.format(versions=versions)
    write_text(HEAD + "".join(rows) + PRIORS + "".join(priors()) + tail, OUT)
    print(OUT)


def priors():
    """The rows of the priors' table."""
    for name, (measure, tolerance) in prior_cases.cases().items():
        found = measure()
        print(f"{name}: {found.difference:.1e}", flush=True)
        if found.difference > tolerance:
            raise SystemExit(f"{name}: {found.difference:.1e} is above {tolerance:.0e}")
        yield f"| {name} | {found.difference:.1e} | {tolerance:.0e} | {found.effect:.2f} |\n"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    diffusers.utils.logging.set_verbosity_error()
    transformers.utils.logging.set_verbosity_error()
    main()
