"""Kinds of model files that ComfyUI does not know."""

import os
from collections.abc import Iterable

import folder_paths


def register(kind: str, extensions: Iterable[str]) -> None:
    """models/<kind>, beside what the user's own paths file may have said of it."""
    paths, known = folder_paths.folder_names_and_paths.get(kind, ([], set()))
    own = os.path.join(folder_paths.models_dir, kind)
    paths = [*paths, *([own] if own not in paths else [])]
    folder_paths.folder_names_and_paths[kind] = (paths, {*known, *extensions})
