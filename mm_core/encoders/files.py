"""The check that every input file passes before it is opened."""

from pathlib import Path

from ..errors import InputError


def check_file(path: Path, needed: str) -> None:
    """InputError unless path is a regular file: a pipe or a device could be read for ever."""
    if path.is_file():
        return
    found = "a folder" if path.is_dir() else "a pipe or device" if path.exists() else "nothing"
    raise InputError(f"{path}: found {found}, needed {needed}; check the path")
