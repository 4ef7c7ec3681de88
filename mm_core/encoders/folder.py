"""A folder of a transformers model: checked first, then loaded, never run.

Everything comes from the folder itself: no network, no pickle, no code of the folder's.
"""

import json
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from ..errors import InputError, WeightsError
from ..weights.load import PICKLED, SHOWN, read_shapes
from .library import named_class, one_line, precision, quiet

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
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as e:
        raise InputError(
            f"{path}: is no JSON ({' '.join(str(e).split())[:80]}); download it again"
        ) from e
    if not isinstance(config, dict):
        raise InputError(
            f"{path}: found a {type(config).__name__}, needed a table of settings; "
            "download it again"
        )
    for weights in weight_files(folder):
        read_shapes(weights)
    return config


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
            f"is opened; needed model.safetensors: run mmc convert {pickles[0]} --out "
            f"{folder / 'model.safetensors'}"
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
    read_config(folder)
    kind = named_class(class_name, since)
    try:
        with quiet():
            model, found = kind.from_pretrained(
                folder, use_safetensors=True, output_loading_info=True,
                ignore_mismatched_sizes=True, **precision(dtype), **SECURE, **options,
            )  # fmt: skip
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as e:  # whatever another package makes of a foreign file is the file's fault
        raise WeightsError(f"{folder}: {class_name} cannot be loaded ({one_line(e)})") from e
    wrong = [f"missing {name}" for name in sorted(found["missing_keys"])]
    wrong += [
        f"{name} is {tuple(have)}, expected {tuple(want)}"
        for name, have, want in sorted(found["mismatched_keys"])
    ]
    if wrong:
        more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise WeightsError(
            f"{folder}: the weights do not fit {class_name}: {'; '.join(wrong[:SHOWN])}{more}; "
            "download config.json and the weights of one model again"
        )
    return model.eval().requires_grad_(False)


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
    """InputError unless the folder holds the file that load_processor reads."""
    files = READERS[reads][1]
    if not any((folder / name).is_file() for name in files):
        needed = " or ".join(files[:2]) if reads != "text" else "tokenizer.json (or its vocabulary)"
        raise InputError(
            f"{folder}: found no {files[0]}, which says how a {reads} is prepared; needed {needed} "
            "beside config.json; download it into the folder"
        )


def load_processor(reads: Reads, folder: Path) -> Any:
    """What prepares inputs as the model was trained: image processor, tokenizer or extractor."""
    check_reader(reads, folder)
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


def _shards(index: Path) -> list[Path]:
    try:
        names = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as e:
        raise WeightsError(f"{index}: is no index of weights; download it again") from e
    if outside := sorted(str(n) for n in names if Path(str(n)).name != n):
        raise WeightsError(f"{index}: names a file outside the folder, {outside[0]}; not opened")
    if lost := sorted(n for n in names if not (index.parent / n).is_file()):
        raise WeightsError(
            f"{index.parent}: found {len(names) - len(lost)} of {len(names)} files of weights; "
            f"download {lost[0]} into it"
        )
    return [index.parent / n for n in sorted(names)]
