"""mmc generate: one picture from the user's own files."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ..embedded.conditions import Encoded
from ..embedded.defaults import WEIGHTS
from ..embedded.encode import (
    encode_audio,
    encode_depth,
    encode_people,
    encode_segmentation,
    encode_skeleton,
    encode_style,
    encode_text,
)
from ..embedded.generate import Settings, generate
from ..embedded.model import MODALITIES, EmbeddedModel
from ..embedded.prior import load_priors, style_from_words
from ..embedded.samplers import SAMPLERS
from ..embedded.scenes.attributes import PIXELS
from ..embedded.schedules import SCHEDULES
from ..embedded.weights import SHIPPED, load_embedded
from ..encoders.control.keypoints import Unsized
from ..encoders.doubts import depth_doubt, pose_doubt, size_doubt, sound_doubt, style_doubt
from ..encoders.pictures import read_depth, read_picture, to_image
from ..encoders.pose import read_keypoints
from ..encoders.waves import read_wave
from ..errors import InputError
from ..guidance.compositions import COMPOSITIONS, DEFAULT
from ..guidance.corrections import CORRECTIONS, Correction
from ..guidance.program import Program
from ..guidance.report import Report
from ..guidance.speed import SPEEDS, at_speed
from ..types import Modality, Window
from . import options, saving
from .progress import Progress


def add(commands: Any) -> None:
    """Adds the sub-command."""
    p = commands.add_parser("generate", help="one picture from your own files")
    p.add_argument("--text", help='prompt in the small vocabulary, such as "a red star"')
    p.add_argument("--negative", default="", help="what the text pushes away from")
    p.add_argument("--style", type=Path, metavar="IMG", help="picture whose texture and colours")
    p.add_argument("--style-words", metavar="TEXT",
                   help='style without a picture, such as "purple and blue stripes"')  # fmt: skip
    p.add_argument("--depth", type=Path, metavar="IMG", help="depth map, near = white, 8 or 16 bit")
    p.add_argument("--pose", type=Path, metavar="IMG_or_JSON", help="skeleton or POSE_KEYPOINT")
    p.add_argument("--pose-size", metavar="WxH",
                   help="of the picture of a --pose JSON without canvas, pixels")  # fmt: skip
    p.add_argument("--segmentation", type=Path, metavar="IMG", help="map in this model's palette")
    p.add_argument("--audio", type=Path, metavar="WAV", help="sound; pitch and timbre are heard")
    p.add_argument("--weight", action="append", default=[], metavar="NAME=W",
                   help="0 ignores, 1 is the model by itself, more pushes")  # fmt: skip
    p.add_argument("--window", action="append", default=[], metavar="NAME=A:B",
                   help="part of sampling, 0..1, in which the input acts")  # fmt: skip
    p.add_argument("--composition", choices=list(COMPOSITIONS), default=DEFAULT)
    p.add_argument("--speed", choices=list(SPEEDS), default="exact",
                   help="balanced, fast and draft run fewer rows, and are less exact")  # fmt: skip
    p.add_argument("--correction", choices=list(CORRECTIONS), default="none",
                   help="ways to tame strong weights; which helps varies")  # fmt: skip
    p.add_argument("--push", type=float, default=1.0, help="multiplies every push beyond weight 1")
    p.add_argument("--steps", type=int, default=25)
    p.add_argument("--sampler", choices=list(SAMPLERS), default="euler")
    p.add_argument("--schedule", choices=list(SCHEDULES), default="normal")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--batch", type=int, default=1, help="pictures to make, one noise each")
    p.add_argument("--size", type=int, default=1, help="1 is 128 x 128 pixels, 2 is 256 x 256")
    p.add_argument("--model", type=Path, default=SHIPPED, help="weights of an embedded model")
    p.add_argument("--out", type=Path, default=Path("out.png"), metavar="IMG")
    p.add_argument("--report", type=Path, metavar="FILE",
                   help="what each input did: a picture (.png) or figures (.json)")  # fmt: skip
    p.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Everything is checked and read before the first step; the result is written at once."""
    torch.set_flush_denormal(True)
    settings = Settings(
        steps=given.steps,
        sampler=given.sampler,
        schedule=given.schedule,
        seed=given.seed,
        batch=given.batch,
        size=given.size,
    )
    names = saving.pictures(given.out, settings.batch)
    if given.report is not None:
        saving.check_report(given.report, names)
    model, _ = load_embedded(given.model)
    encoded = encode_files(model, given)
    sys.stderr.write("".join(f"warning: {doubt}\n" for doubt in doubts(given)))
    program, effort = at_speed(_program(given, encoded), given.speed)
    reports: list[Report] = []
    with Progress("sampling", settings.steps) as bar:
        pictures, cost = generate(
            model, program, encoded, encode_text(model.text, "").null, settings,
            lambda i: bar.step(), effort, reports.append if given.report else None,
        )  # fmt: skip
    about = {
        "text": given.text,
        "style_words": given.style_words,
        "weights": {m.name: m.weight for m in program.modalities},
        "composition": program.composition,
        "speed": given.speed,
        "correction": given.correction,
        **vars(settings),
    }
    for path, picture in zip(names, pictures, strict=True):
        saving.save_picture(to_image(picture), path, about)
        sys.stdout.write(f"{path}\n")
    for report in reports:
        saving.save_report(report, given.report)
        sys.stdout.write(f"{given.report}\n")
        sys.stderr.write("".join(f"warning: {said}\n" for said in report.warnings))
    sys.stderr.write(
        f"{cost.rows} rows in {cost.evaluations} evaluations "
        f"({cost.rows / cost.evaluations:.2f} rows each)\n"
    )


def encode_files(model: EmbeddedModel, given: argparse.Namespace) -> dict[str, Encoded]:
    """Every input that was given, in the order of MODALITIES."""
    adapters, canvas = model.adapters, _canvas(given)
    readers: dict[str, Callable[[Path], Encoded]] = {
        "style": lambda p: encode_style(adapters, read_picture(p)),
        "depth": lambda p: encode_depth(adapters, read_depth(p)),
        "pose": lambda p: (
            encode_people(adapters, read_keypoints(p, canvas))
            if p.suffix.lower() == ".json"
            else encode_skeleton(adapters, read_picture(p))
        ),
        "segmentation": lambda p: encode_segmentation(adapters, read_picture(p), str(p)),
        "audio": lambda p: encode_audio(adapters, read_wave(p)),
    }
    if given.negative and given.text is None:
        raise InputError(
            "--negative says what the text pushes away from, but there is no --text; give one, "
            "or take the option away"
        )
    if given.style is not None and given.style_words is not None:
        raise InputError("--style and --style-words both say the style; give one of them")
    encoded: dict[str, Encoded] = {}
    with torch.inference_mode():
        for name in MODALITIES:
            value = getattr(given, name)
            if name == "style" and given.style_words is not None:
                seeds = tuple((given.seed + i) % 2**64 for i in range(given.batch))
                encoded[name] = style_from_words(
                    load_priors()[0], model.text, given.style_words, seeds
                )
            elif value is None:
                continue
            elif name == "text":
                encoded[name] = encode_text(model.text, value, given.negative)
            else:
                encoded[name] = readers[name](value)
    if not encoded:
        raise InputError(
            "nothing to make a picture from; give at least one of "
            + ", ".join(f"--{name}" for name in MODALITIES)
        )
    return encoded


def doubts(given: argparse.Namespace) -> list[str]:
    """What of the files that were given, and of the size, is probably not meant."""
    look: dict[str, Callable[[Path], str | None]] = {
        "style": lambda p: style_doubt(read_picture(p)),
        "depth": lambda p: depth_doubt(read_picture(p)),
        "pose": lambda p: None if p.suffix.lower() == ".json" else pose_doubt(read_picture(p)),
        "audio": lambda p: sound_doubt(read_wave(p)),
    }
    found = [check(path) for name, check in look.items() if (path := getattr(given, name))]
    side = PIXELS * given.size
    return [doubt for doubt in (*found, size_doubt(side, side, PIXELS)) if doubt]


def _canvas(given: argparse.Namespace) -> Unsized:
    """What --pose-size says of a --pose whose file does not say it."""
    if given.pose_size is None:
        return Unsized(otherwise=", or give --pose-size, such as 1920x1080")
    if given.pose is None or given.pose.suffix.lower() != ".json":
        raise InputError(
            "--pose-size is for a --pose of JSON without a canvas, and there is none; give one, or "
            "take the option away"
        )
    return Unsized(options.size(given.pose_size, "--pose-size"))


def _program(given: argparse.Namespace, encoded: dict[str, Encoded]) -> Program:
    chosen, windows = options.weights(given.weight), options.windows(given.window)
    for option, names in (("--weight", chosen), ("--window", windows)):
        if idle := [n for n in names if n not in encoded]:
            raise InputError(
                f"{option} is set for {', '.join(idle)}, but there is no --{idle[0]}; "
                "give that input or take the option away"
            )
    modalities = (Modality(n, chosen.get(n, WEIGHTS[n]), windows.get(n, Window())) for n in encoded)
    correction = Correction(given.correction)
    return Program(tuple(modalities), given.composition, given.push, correction)
