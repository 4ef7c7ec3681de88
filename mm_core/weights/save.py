"""Writes safetensors so that a reader never sees half a file."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from ..errors import InputError
from ..types import Tensor
from .header import Header, pack


def save_tensors(tensors: Mapping[str, Tensor], path: Path, header: Header | None = None) -> None:
    """Writes to a temporary name beside path, then renames."""
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    temporary = _beside(path)
    try:
        save_file(contiguous, temporary, metadata=pack(header) if header else None)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def save_json(value: Any, path: Path) -> None:
    """Writes readable JSON the same way."""
    write_text(json.dumps(value, indent=1, sort_keys=False, allow_nan=False) + "\n", path)


def write_text(text: str, path: Path) -> None:
    """Writes a text file the same way."""
    temporary = _beside(path)
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as e:
        raise InputError(
            f"cannot write {path}: {e.strerror or e}; choose a folder that you may write to"
        ) from e
    os.close(handle)
    return Path(name)
