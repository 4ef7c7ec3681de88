"""Processors whose settings are not all the folder's own."""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..errors import InputError
from .folder import READERS, load_processor


def load_altered(folder: Path, **settings: Any) -> Any:
    """load_processor of pictures, with settings that stand above the folder's own.

    For those that transformers obeys only where a file says them.
    """
    names = READERS["picture"][1]
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        return load_processor("picture", folder)  # which says what is missing
    try:
        said = json.loads(found.read_text(encoding="utf-8"))
        said = said.get("image_processor", said) | settings
    except (OSError, ValueError, RecursionError, AttributeError, TypeError) as e:
        raise InputError(f"{found}: is no table of settings; download it again") from e
    with TemporaryDirectory() as made:
        (Path(made) / names[0]).write_text(json.dumps(said), encoding="utf-8")
        shutil.copy(folder / "config.json", made)
        return load_processor("picture", Path(made))
