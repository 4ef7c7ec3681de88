"""Whether a file is still the one that was loaded, for the host's cache of results."""

from collections.abc import Iterable
from pathlib import Path


def stamp(paths: Iterable[str | Path | None]) -> str:
    """Another text once one of the files was replaced. A file that is not there has none."""
    found = [(path, Path(path).stat()) for path in paths if path and Path(path).is_file()]
    return ", ".join(f"{path} {s.st_mtime_ns} {s.st_size}" for path, s in found)
