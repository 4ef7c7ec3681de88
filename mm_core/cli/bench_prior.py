"""mmc bench prior: ways from words to an image embedding, side by side."""

import argparse
import json
import sys
from pathlib import Path

from ..embedded.prior import SHIPPED, load_priors
from ..embedded.weights import load_embedded
from ..evaluation.bench import priors, priors_table
from ..evaluation.weights import fingerprint, load_oracle
from ..weights.save import save_json, write_text
from . import options
from .progress import Progress

PAINTED = 64  # of the captions, at most


def run(given: argparse.Namespace, path: Path = SHIPPED) -> None:
    """Measures, then writes all that was asked for. path: of the priors."""
    if not 8 <= given.n <= 10_000 or given.n % 4:
        options.refuse("--n", given.n, "between 8 and 10000 that 4 divides")
    document = options.document(given.markdown)
    for option, target in (
        ("--markdown", given.markdown),
        ("--json", Path(given.json) if given.json not in (None, "-") else None),
    ):
        if target is not None:
            options.writable(target, option)
    if given.markdown:
        priors_table.check(document, f"--markdown {given.markdown}")
    model, _ = load_embedded(given.model)
    loaded, _ = load_priors(path)
    judge, _ = load_oracle()
    with Progress("priors", priors.steps(given.n)) as bar:
        found = priors.compare(model, loaded, judge, given.n, min(PAINTED, given.n), bar.step)
    where = f" --markdown {given.markdown}" if given.markdown else ""
    result = {
        "command": f"mmc bench prior --n {given.n}{where}",
        "oracle_sha256": fingerprint(),
        **found,
    }
    if given.json == "-":
        sys.stdout.write(json.dumps(result, indent=1, allow_nan=False) + "\n")
    elif given.json:
        save_json(result, Path(given.json))
    if given.markdown:
        write_text(priors_table.insert(document, result), given.markdown)
    if not given.json and not given.markdown:
        sys.stderr.write(priors_table.table(result))
