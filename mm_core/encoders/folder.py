"""A folder of a transformers model: checked first, then loaded, never run.

Everything comes from the folder itself: no network, no pickle, no code of the folder's.
"""

import json
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from ..errors import InputError, WeightsError
from ..weights.command import command
from ..weights.load import PICKLED, SHOWN, read_shapes
from .library import library, named_class, one_line, precision, quiet, release

Reads = Literal["picture", "text", "sound"]
READERS: dict[Reads, tuple[str, tuple[str, ...]]] = {  # class, and the files one of which it needs
    "picture": ("AutoImageProcessor", ("preprocessor_config.json", "processor_config.json")),
    "text": (
        "AutoTokenizer",
        ("tokenizer.json", "vocab.json", "vocab.txt", "spiece.model", "tokenizer.model"),
    ),
    "sound": ("AutoFeatureExtractor", ("preprocessor_config.json", "processor_config.json")),
}
EXTRAS = ("torchvision", "scipy", "sentencepiece", "protobuf", "tiktoken", "torchaudio", "librosa")
SECURE = {"local_files_only": True, "trust_remote_code": False}


def read_config(folder: Path) -> dict[str, Any]:
    """What config.json says, where the folder's weights can be read.

    Raises InputError for a folder that is no model, WeightsError for weights that are missing,
    pickled, damaged or a web page. Weights are opened, not read.
    """
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing"
        raise InputError(
            f"{folder}: found {found}, needed the folder that holds a model's config.json and "
            "model.safetensors; check the path"
        )
    path = folder / "config.json"
    if not path.is_file():
        raise InputError(
            f"{folder}: found no config.json, needed a model folder as transformers saves it; "
            "download config.json into it, or choose the folder that holds it"
        )
    try:
        config = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as e:
        raise InputError(
            f"{path}: is no JSON ({' '.join(str(e).split())[:80]}); download it again"
        ) from e
    if not isinstance(config, dict):
        raise InputError(
            f"{path}: found a {type(config).__name__}, needed a table of settings; "
            "download it again"
        )
    _check_settings(config, path)
    for weights in weight_files(folder):
        read_shapes(weights)
    return config


def _check_settings(config: dict[str, Any], path: Path) -> None:
    named = config.get("architectures")
    if named is not None and not (
        isinstance(named, list) and all(isinstance(name, str) for name in named)
    ):
        raise InputError(
            f"{path}: architectures is {str(named)[:40]!r}, needed a list of names; download it "
            "again"
        )
    if config.get("quantization_config"):
        raise InputError(
            f"{path}: the weights are quantised, which needs packages that this pack does without; "
            "choose the folder of the same model that is not"
        )


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a model folder, or WeightsError that says what to do."""
    if (folder / "model.safetensors").is_file():
        return [folder / "model.safetensors"]
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        return _shards(index)
    if others := sorted(p.name for p in folder.glob("*.safetensors")):
        raise WeightsError(
            f"{folder}: found {others[0]}, needed the name model.safetensors; rename it, or make "
            "a link of that name"
        )
    pickles = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICKLED)
    if len(pickles) == 1:
        raise WeightsError(
            f"{folder}: found only {pickles[0].name}, which is pickled and can run code when it "
            "is opened; needed model.safetensors: run "
            f"{command('convert', pickles[0], '--out', folder / 'model.safetensors')}"
        )
    if pickles:
        raise WeightsError(
            f"{folder}: found only pickled weights ({pickles[0].name} and {len(pickles) - 1} "
            "more), needed safetensors; download the safetensors files of the same model"
        )
    raise WeightsError(f"{folder}: found no weights, needed model.safetensors; download it")


def load_model(
    class_name: str,
    folder: Path,
    dtype: torch.dtype = torch.float32,
    since: str = "",
    **options: Any,
) -> nn.Module:
    """The model in a folder, in this precision, frozen, on the CPU.

    since: the first release of transformers that has the class. options: go to from_pretrained.
    Raises WeightsError where tensors are missing or do not fit; more of them than needed are fine.
    """
    config = read_config(folder)
    kind = named_class(class_name, since)
    if _asks_for_attention(config):
        # It may name code on a hub, which would be fetched and run.
        options["attn_implementation"] = "eager"
    try:
        with quiet():
            model, found = kind.from_pretrained(
                folder, use_safetensors=True, output_loading_info=True,
                ignore_mismatched_sizes=True, **precision(dtype), **SECURE, **options,
            )  # fmt: skip
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as e:  # whatever another package makes of a foreign file is the file's fault
        raise WeightsError(
            f"{folder}: {class_name} cannot be loaded ({one_line(e)}); {_remedy(config)}"
        ) from e
    wrong = [f"missing {name}" for name in sorted(found["missing_keys"])]
    wrong += [
        f"{name} is {tuple(have)}, expected {tuple(want)}"
        for name, have, want in sorted(found["mismatched_keys"])
    ]
    if wrong:
        more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise WeightsError(
            f"{folder}: the weights do not fit {class_name}: {'; '.join(wrong[:SHOWN])}{more}; "
            + _remedy(config)
        )
    for name, weight in model.named_parameters():
        if not torch.isfinite(weight).all():
            raise WeightsError(
                f"{folder}: {name} holds numbers that are not finite"
                + (
                    " in this precision; choose float32 or bfloat16, or"
                    if dtype == torch.float16
                    else ";"
                )
                + " download the weights again"
            )
    return model.eval().requires_grad_(False)


def _asks_for_attention(settings: Any) -> bool:
    """Whether a config.json, or a part of it, says how attention is to be run."""
    if not isinstance(settings, dict):
        return False
    return any(
        "attn_implementation" in name or _asks_for_attention(value)
        for name, value in settings.items()
    )


def _remedy(config: dict[str, Any]) -> str:
    """Releases since 5 save some classes under names that earlier ones cannot read."""
    saved, here = str(config.get("transformers_version") or ""), library().__version__
    if release(saved) > release(here):
        return (
            f"saved by transformers {saved}, found {here}: run pip install --upgrade transformers"
        )
    return "download config.json and the weights of one model again"


def half_config(folder: Path, whole: str, half: str) -> dict[str, Any]:
    """{"config": that of one half} where a folder holds both halves of a model, else nothing.

    Files may give the width of the space that both share beside the halves only.
    """
    kind = named_class(whole)
    if read_config(folder).get("model_type") != kind.model_type:
        return {}
    try:
        with quiet():
            both = kind.from_pretrained(folder, **SECURE)
    except Exception as e:
        raise InputError(f"{folder}: config.json cannot be used ({one_line(e)})") from e
    config = getattr(both, half)
    if hasattr(both, "projection_dim"):
        config.projection_dim = both.projection_dim
    return {"config": config}


def check_reader(reads: Reads, folder: Path) -> None:
    """InputError unless load_processor has what it needs."""
    files = READERS[reads][1]
    if _usual(reads, folder):
        return
    if not any((folder / name).is_file() for name in files):
        needed = " or ".join(files[:2]) if reads != "text" else "tokenizer.json (or its vocabulary)"
        raise InputError(
            f"{folder}: found no {files[0]}, which says how a {reads} is prepared; needed {needed} "
            "beside config.json; download it into the folder"
        )
    for name in files:
        path = folder / name
        if path.suffix == ".json" and path.is_file():
            try:
                json.loads(path.read_text(encoding="utf-8-sig"))
            except (OSError, ValueError, RecursionError) as e:
                raise InputError(
                    f"{path}: is no JSON ({one_line(e)[:80]}); download it again"
                ) from e


def load_processor(reads: Reads, folder: Path) -> Any:
    """What prepares inputs as the model was trained: image processor, tokenizer or extractor."""
    check_reader(reads, folder)
    if settings := _usual(reads, folder):
        return named_class("CLIPImageProcessor")(**settings)
    kind = named_class(READERS[reads][0])
    try:
        with quiet():
            return kind.from_pretrained(folder, **SECURE)
    except Exception as e:
        extra = next((p for p in EXTRAS if p in str(e).lower()), None)
        if extra and not isinstance(e, OSError):
            raise InputError(
                f"{folder}: preparing a {reads} for this model needs {extra}, which is not "
                f"installed; run pip install {extra}"
            ) from e
        raise InputError(
            f"{folder}: the files that say how a {reads} is prepared cannot be used "
            f"({one_line(e)}); download them again"
        ) from e


def _usual(reads: Reads, folder: Path) -> dict[str, Any]:
    """Settings of CLIP vision's processor where its folder has none, as image encoders of adapters
    are published; every published CLIP differs in its picture's size alone."""
    if reads != "picture" or any((folder / name).is_file() for name in READERS[reads][1]):
        return {}
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8-sig"))
        side = config["image_size"] if config["model_type"] == "clip_vision_model" else None
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return {}
    if not isinstance(side, int):
        return {}
    return {"size": {"shortest_edge": side}, "crop_size": {"height": side, "width": side}}


def _shards(index: Path) -> list[Path]:
    try:
        names = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as e:
        raise WeightsError(f"{index}: is no index of weights; download it again") from e
    if outside := sorted(str(n) for n in names if Path(str(n)).name != n or n in ("", "..")):
        raise WeightsError(f"{index}: names a file outside the folder, {outside[0]}; not opened")
    if lost := sorted(n for n in names if not (index.parent / n).is_file()):
        raise WeightsError(
            f"{index.parent}: found {len(names) - len(lost)} of {len(names)} files of weights; "
            f"download {lost[0]} into it"
        )
    return [index.parent / n for n in sorted(names)]
