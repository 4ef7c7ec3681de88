"""mmc evaluate: adherence by modality, composition and weight, with intervals."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import torch

from ..embedded.defaults import WEIGHTS
from ..embedded.generate import Settings
from ..embedded.samplers import SAMPLERS
from ..embedded.weights import SHIPPED, load_embedded
from ..evaluation import markdown
from ..evaluation.report import html
from ..evaluation.suite import SECTIONS, Suite
from ..evaluation.weights import fingerprint, load_oracle
from ..weights.save import save_json, write_text
from . import options


def add(commands: Any) -> None:
    """Adds the sub-command."""
    p = commands.add_parser("evaluate", help="how well the embedded model obeys each input")
    p.add_argument("--sections", default="main", metavar="A,B", help=", ".join(SECTIONS))
    p.add_argument("--n", type=int, default=384, help="held-out scenes for each seed")
    p.add_argument("--seeds", type=int, default=2, help="sets of scenes, each with its own noise")
    p.add_argument("--steps", type=int, default=25)
    p.add_argument("--sampler", choices=list(SAMPLERS), default="euler")
    p.add_argument("--model", type=Path, default=SHIPPED, help="weights of an embedded model")
    p.add_argument("--json", metavar="FILE", help="where the figures go; - is standard output")
    p.add_argument("--markdown", type=Path, metavar="FILE",
                   help="a document; its part between the marks is replaced")  # fmt: skip
    p.add_argument("--html", type=Path, metavar="FILE", help="a page with tables and plots")
    p.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Measures, reporting each run as it ends, then writes JSON and HTML."""
    torch.set_flush_denormal(True)
    names = [s.strip() for s in given.sections.split(",") if s.strip()]
    if unknown := [n for n in names if n not in SECTIONS]:
        options.refuse("--sections", ",".join(unknown), f"among {', '.join(SECTIONS)}")
    if not names:
        options.refuse("--sections", repr(given.sections), f"among {', '.join(SECTIONS)}")
    if not 8 <= given.n <= 10_000:
        options.refuse("--n", given.n, "between 8 and 10000")
    if not 1 <= given.seeds <= 100:
        options.refuse("--seeds", given.seeds, "between 1 and 100")
    document = _document(given.markdown, names)
    for option, path in (
        ("--markdown", given.markdown),
        ("--html", given.html),
        ("--json", Path(given.json) if given.json not in (None, "-") else None),
    ):
        if path is not None:
            options.writable(path, option)
    model, header = load_embedded(given.model)
    oracle, _ = load_oracle()
    settings = Settings(steps=given.steps, sampler=given.sampler, seed=1)
    seeds = [900_000 + 1000 * k for k in range(given.seeds)]
    suite = Suite(model, oracle, given.n, seeds, settings, _say)
    result = {
        "scenes": given.n * given.seeds,
        "seeds": seeds,
        "steps": given.steps,
        "sampler": given.sampler,
        "default_weights": WEIGHTS,
        "oracle_sha256": fingerprint(),
        "recipe": header.recipe,
        "ceiling": suite.ceiling(),
        "chance": suite.chance(),
        "runs": [suite.run(r) for name in names for r in SECTIONS[name]()],
    }
    if given.json == "-":
        sys.stdout.write(json.dumps(result, indent=1, allow_nan=False) + "\n")
    elif given.json:
        save_json(result, Path(given.json))
    if given.html:
        write_text(html(result), given.html)
    if given.markdown:
        write_text(markdown.insert(document, result, _command(given, names)), given.markdown)
    if not given.json and not given.html and not given.markdown:
        sys.stderr.write("give --json, --html or --markdown FILE to keep these figures\n")


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _document(path: Path | None, sections: list[str]) -> str:
    """The text of a document that has the marks, read before anything is measured."""
    text = options.document(path)
    if path is not None:
        markdown.around(text, markdown.begin(sections), f"--markdown {path}")
    return text


def _command(given: argparse.Namespace, names: list[str]) -> str:
    """What to type to make the figures again."""
    return (
        f"mmc evaluate --sections {','.join(names)} --n {given.n} --seeds {given.seeds} "
        f"--steps {given.steps} --markdown {given.markdown}"
    )
