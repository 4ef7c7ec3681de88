"""mmc encode: what a model in a folder says about one input, as tensors, a map or keypoints."""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, get_args

import torch

from ..encoders.encoder import Encoder, Encoding, Frames, Kind
from ..encoders.families import load_encoder
from ..encoders.pictures import read_picture, to_image
from ..encoders.pose_estimation import PoseEstimator, with_detector
from ..encoders.video import FrameEncoder, VideoEncoder
from ..encoders.waves import read_sound
from ..errors import InputError
from ..types import Tensor
from ..weights.header import Header
from ..weights.save import save_bytes, save_json, save_tensors
from . import options
from .progress import Progress

KIND, VERSION = "embedding", 1
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
ENDINGS = (".safetensors", ".png", ".json")  # tensors, control map, keypoints


def add(commands: Any) -> None:
    """Adds the sub-command."""
    p = commands.add_parser("encode", help="what a model says about a text, picture or sound")
    p.add_argument("kind", choices=get_args(Kind), metavar="KIND", help=", ".join(get_args(Kind)))
    p.add_argument("file", nargs="+", metavar="FILE",
                   help="a text or .txt, a picture, a WAV; for video a folder of frames, or "
                   "several pictures")  # fmt: skip
    p.add_argument("--model", type=Path, required=True, metavar="DIR",
                   help="a folder with config.json and model.safetensors")  # fmt: skip
    p.add_argument("--detector", type=Path, metavar="DIR",
                   help="for pose, a second folder with RT-DETR: it finds the people; without it "
                   "the whole picture is one person")  # fmt: skip
    p.add_argument("--rate", type=float, default=1.0, help="frames a second of a video")
    p.add_argument("--out", type=Path, default=Path("encoded"), metavar="FILE",
                   help=".safetensors for tokens, vector, depth, masks and classes; .png for a "
                   "control map; .json for keypoints; a name without ending for all")  # fmt: skip
    p.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Everything is read and encoded before the first file is written."""
    targets = _targets(given.out, given.file)
    if not given.rate > 0:
        options.refuse("--rate", given.rate, "above 0, such as 24")
    if given.kind not in ("text", "video") and len(given.file) > 1:
        raise InputError(f"found {len(given.file)} files, needed one {given.kind} at a time")
    encoder = load_encoder(given.model, kind=given.kind)
    if given.detector is not None:
        encoder = _with_detector(encoder, given.detector)
    value = _read(encoder, given.file, given.rate)
    with Progress("encoding", 1) as bar:

        def tick(done: int, total: int) -> None:
            bar.total = total
            bar.step(done - bar.done)

        found = encoder(value, tick)
    paths = _write(encoder, found, targets)
    if not paths:
        raise InputError(
            f"{encoder.family} gives nothing to write as {given.out.suffix or 'a file'}; "
            "give --out a name without an ending, for all that it gives"
        )
    sys.stdout.write("".join(f"{path}\n" for path in paths))


def _with_detector(encoder: Encoder, folder: Path) -> Encoder:
    if isinstance(encoder, PoseEstimator):
        return with_detector(encoder, folder)
    raise InputError(
        f"found --detector and an encoder of {encoder.kind}; needed one of pose, whose people a "
        "detector finds"
    )


def _targets(out: Path, sources: Sequence[str]) -> dict[str, Path]:
    endings = ENDINGS if out.suffix not in ENDINGS else (out.suffix,)
    targets = {e: out if out.suffix == e else out.with_name(out.name + e) for e in endings}
    for path in targets.values():
        options.writable(path)
        if any(path.resolve() == Path(source).resolve() for source in sources):
            raise InputError(f"--out {path} is the input's own name; give it another one")
    return targets


def _read(encoder: Encoder, files: Sequence[str], rate: float) -> Any:
    if encoder.kind == "text":
        return [_text(said) for said in files]
    if encoder.kind == "audio":
        return read_sound(Path(files[0]))
    if isinstance(encoder, FrameEncoder | VideoEncoder):
        return _frames(encoder, files, rate)
    return read_picture(Path(files[0]))


def _text(said: str) -> str:
    path = Path(said)
    if path.suffix.lower() != ".txt":
        return said
    return options.document(path, "FILE").strip()


def _frames(encoder: FrameEncoder | VideoEncoder, files: Sequence[str], rate: float) -> Frames:
    """Only those that the encoder looks at are read."""
    paths = [Path(name) for name in files]
    if len(paths) == 1 and paths[0].is_dir():
        paths = sorted(p for p in paths[0].iterdir() if p.suffix.lower() in PICTURES)
        if not paths:
            raise InputError(f"{files[0]}: found no pictures, needed frames as PNG, JPEG or WebP")
    pictures: list[Tensor] = []
    for i in encoder.choose(len(paths), rate):
        picture = read_picture(paths[i])
        if pictures and picture.shape != pictures[0].shape:
            raise InputError(
                f"{paths[i]}: found {_size(picture)} pixels, needed {_size(pictures[0])}, as the "
                "frames before it have; make all frames of one size"
            )
        pictures.append(picture)
    return Frames(torch.cat(pictures), 1.0)


def _size(picture: Tensor) -> str:
    return f"{picture.shape[-1]} x {picture.shape[-2]}"


def _write(encoder: Encoder, found: Encoding, targets: dict[str, Path]) -> list[Path]:
    """Every part that was found and is wanted. Gives the names of the files."""
    paths = []
    tensors, path = _tensors(found), targets.get(".safetensors")
    if tensors and path:
        save_tensors(tensors, path, Header(KIND, VERSION, _about(encoder, found)))
        paths.append(path)
    if found.control is not None and (path := targets.get(".png")):
        paths += _save_maps(found.control, path)
    if found.keypoints is not None and (path := targets.get(".json")):
        save_json(list(found.keypoints), path)
        paths.append(path)
    return paths


def _tensors(found: Encoding) -> dict[str, Tensor]:
    parts = {
        "vector": found.vector,
        "depth": found.depth,
        "masks": found.masks,
        "classes": found.classes,
    }
    if found.embedding is not None:
        parts |= {"tokens": found.embedding.tokens, "mask": found.embedding.mask}
    return {name: x.cpu() for name, x in parts.items() if x is not None}


def _about(encoder: Encoder, found: Encoding) -> dict[str, Any]:
    tokens = found.embedding.tokens if found.embedding is not None else None
    return {
        "modality": encoder.kind,
        "family": encoder.family,
        "model": encoder.name,
        "width": encoder.width,
        "tokens": None if tokens is None else tokens.shape[1],
        "labels": list(found.labels),
        "unit": found.depth_unit,
    }


def _save_maps(maps: Tensor, path: Path) -> list[Path]:
    many = len(maps) > 1
    paths = [path.with_stem(f"{path.stem}-{i + 1}") if many else path for i in range(len(maps))]
    for picture, target in zip(maps, paths, strict=True):
        image = to_image(picture.cpu())
        save_bytes(partial(image.save, format="PNG"), target)
    return paths
