"""mmc demo: the main job on the embedded model, shown and measured."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image

from ..embedded.defaults import WEIGHTS
from ..embedded.generate import Settings
from ..embedded.model import MODALITIES
from ..embedded.scenes.attributes import SEGMENT_RGB
from ..embedded.weights import SHIPPED, load_embedded
from ..encoders.audio import log_mel
from ..encoders.pictures import to_image
from ..encoders.waves import write_wave
from ..evaluation.cases import Case, encode_case
from ..evaluation.measures import BETTER
from ..evaluation.suite import Run, Suite
from ..evaluation.weights import fingerprint, load_oracle
from ..types import Tensor
from ..weights.save import save_bytes, save_json
from . import options
from .progress import Progress
from .sheet import Strip, contact_sheet

MEASURED = 48  # pictures behind the adherence table
SHOWN_SEED = 900_001  # of the scenes in the contact sheet
SHOWN = 3  # which of them is steered; it has two things, a person among them, and a sound
SWEEP = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0)


def add(commands: Any) -> None:
    """Adds the sub-command."""
    p = commands.add_parser("demo", help="the main job on the embedded model, shown and measured")
    p.add_argument("--out", type=Path, default=Path("out/demo"), metavar="DIR")
    p.add_argument("--steps", type=int, default=25)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--pictures", type=int, default=MEASURED, help="behind the adherence table")
    p.add_argument("--model", type=Path, default=SHIPPED, help="weights of an embedded model")
    p.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Writes inputs, pictures, contact_sheet.png and report.json, and prints a table."""
    started = time.perf_counter()
    torch.set_flush_denormal(True)
    if not 32 <= given.pictures <= 1024:
        options.refuse("--pictures", given.pictures, "between 32 and 1024")
    settings = Settings(steps=given.steps, seed=given.seed)
    model, header = load_embedded(given.model)
    oracle, _ = load_oracle()
    out = options.writable_folder(given.out)
    suite = Suite(model, oracle, given.pictures, (900_000,), settings)
    shown = Suite(model, oracle, 12, (SHOWN_SEED,), settings)
    runs = _shown_runs()
    with Progress("pictures", len(runs) + 1) as bar:
        measured = suite.run(Run("demo", "all inputs", WEIGHTS))
        bar.step()
        pictures = {}
        for r in runs:
            one = {k: _only(v, SHOWN) for k, v in encode_case(model, shown.cases[0]).items()}
            pictures[r.name] = shown.pictures(r, one, 1, settings.seed)[0][0]
            bar.step()
    inputs = input_pictures(shown.cases[0], SHOWN)
    _write(out, inputs, pictures, shown.cases[0])
    prompt = shown.cases[0].prompts[SHOWN]
    sheet = contact_sheet(
        f"Six inputs, one picture, each with its own weight\ntext: {prompt}",
        _strips(inputs, pictures),
    )
    _save_png(sheet, out / "contact_sheet.png")
    report = {
        "adherence": _adherence(measured["measures"], suite.ceiling(), suite.chance()),
        "pictures": given.pictures,
        "weights": WEIGHTS,
        "composition": measured["composition"],
        "rows_per_evaluation": measured["rows_per_evaluation"],
        "settings": {"steps": given.steps, "seed": given.seed},
        "oracle_sha256": fingerprint(),
        "model_recipe": header.recipe,
        "seconds": round(time.perf_counter() - started, 1),
    }
    save_json(report, out / "report.json")
    sys.stdout.write(_table(report["adherence"]))
    sys.stdout.write(f"\n{out / 'contact_sheet.png'}\n{out / 'report.json'}\n")


def input_pictures(case: Case, index: int) -> dict[str, Image.Image]:
    """The raw inputs of one scene as pictures; the sound as its spectrogram, low notes below."""
    segment = SEGMENT_RGB[case.segment[index]].permute(2, 0, 1).float() / 255
    mel = log_mel(case.wave[index : index + 1])[0].flip(0)
    return {
        "style": to_image(case.style_picture[index]),
        "depth": to_image(case.depth[index].expand(3, -1, -1)),
        "pose": to_image(case.skeleton[index]),
        "segmentation": to_image(segment),
        "audio": to_image(_enlarged(((mel + 1) / 2).clamp(0, 1)[None].expand(3, -1, -1))),
    }


def _enlarged(picture: Tensor) -> Tensor:
    return F.interpolate(picture[None], (128, 128), mode="nearest")[0]


def _shown_runs() -> list[Run]:
    alone = [Run("alone", f"{name} alone", {name: WEIGHTS[name] + 0.5}) for name in MODALITIES]
    pairs = [
        Run("pairs", f"text + {name}", {"text": WEIGHTS["text"], name: WEIGHTS[name]})
        for name in MODALITIES[1:]
    ]
    sweeps = [
        Run("sweep", f"{name} {w:g}", {**WEIGHTS, name: w})
        for name in ("style", "text")
        for w in SWEEP
    ]
    return [*alone, *pairs, Run("all", "all together", WEIGHTS), *sweeps]


def _strips(inputs: dict[str, Image.Image], pictures: dict[str, Tensor]) -> list[Strip]:
    tiles = {name: to_image(p) for name, p in pictures.items()}
    return [
        Strip(
            "the other inputs, and all together",
            [*inputs.items(), ("ALL TOGETHER", tiles["all together"])],
        ),
        Strip("each input alone", [(f"{n} alone", tiles[f"{n} alone"]) for n in MODALITIES]),
        Strip(
            "text and one more",
            [(f"text + {n}", tiles[f"text + {n}"]) for n in MODALITIES[1:]],
        ),
        *(
            Strip(
                f"all inputs, the weight of {name} from 0 to {SWEEP[-1]:g}",
                [(f"{name} {w:g}", tiles[f"{name} {w:g}"]) for w in SWEEP],
            )
            for name in ("style", "text")
        ),
    ]


def _write(
    out: Path, inputs: dict[str, Image.Image], pictures: dict[str, Tensor], case: Case
) -> None:
    """The inputs as files that `mmc generate` reads, and every picture."""
    for name, image in inputs.items():
        if name != "audio":
            _save_png(image, out / "inputs" / f"{name}.png")
    write_wave(case.wave[SHOWN], out / "inputs" / "audio.wav")
    for name, picture in pictures.items():
        file = name.replace(" + ", "-").replace(" ", "-") + ".png"
        _save_png(to_image(picture), out / "pictures" / file)


def _save_png(image: Image.Image, path: Path) -> None:
    save_bytes(lambda file: image.save(file, "PNG"), path)


def _adherence(
    measures: dict[str, Any], ceiling: dict[str, Any], chance: dict[str, Any]
) -> dict[str, Any]:
    return {
        name: {
            "value": m["value"],
            "ceiling": ceiling[name]["value"],
            "chance": chance[name]["value"],
            "n": m["n"],
        }
        for name, m in measures.items()
    }


def _table(adherence: dict[str, Any]) -> str:
    lines = [f"{'measure':<20}{'value':>8}{'ceiling':>9}{'chance':>8}{'n':>6}"]
    for name, m in adherence.items():
        note = "  (lower is better)" if BETTER[name] == "lower" else ""
        lines.append(
            f"{name:<20}{m['value']:>8.3f}{m['ceiling']:>9.3f}{m['chance']:>8.3f}{m['n']:>6}{note}"
        )
    return "\n".join(lines) + "\n"


def _only(encoded: Any, index: int) -> Any:
    """One sample of a batch of encoded inputs."""
    cut = {
        name: value[index : index + 1] if value is not None and len(value) > 1 else value
        for name, value in vars(encoded).items()
        if not isinstance(value, str)
    }
    kept = {name: value for name, value in vars(encoded).items() if isinstance(value, str)}
    return type(encoded)(**kept, **cut)
