"""Writes safetensors so that a reader never sees half a file."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from safetensors.torch import save_file

from ..errors import InputError
from ..types import Tensor
from .header import Header, pack


def save_tensors(tensors: Mapping[str, Tensor], path: Path, header: Header | None = None) -> None:
    """Writes to a temporary name beside path, then renames."""
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    with whole(path) as temporary:
        save_file(contiguous, temporary, metadata=pack(header) if header else None)


def save_json(value: Any, path: Path) -> None:
    """Writes readable JSON the same way."""
    write_text(json.dumps(value, indent=1, sort_keys=False, allow_nan=False) + "\n", path)


def write_text(text: str, path: Path) -> None:
    """Writes a text file the same way."""
    save_bytes(lambda file: file.write(text.encode()), path)


def save_bytes(write: Callable[[BinaryIO], object], path: Path) -> None:
    """Lets write() fill a file the same way."""
    with whole(path) as temporary, temporary.open("wb") as file:
        write(file)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary name beside path, to be filled; it takes path's name if all goes well."""
    temporary = _beside(path)
    try:
        yield temporary
        _publish(temporary, path)
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


def _publish(temporary: Path, path: Path) -> None:
    """Gives the file the permissions a plain open() would have given it, then its name."""
    mask = os.umask(0)
    os.umask(mask)
    temporary.chmod(0o666 & ~mask)
    os.replace(temporary, path)
