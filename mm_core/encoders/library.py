"""The transformers package, imported here alone and only when a folder is opened."""

import importlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from ..errors import InputError

OLDEST = (4, 50)


def library() -> Any:
    """The transformers package, or InputError where it is missing or too old."""
    try:
        found = importlib.import_module("transformers")
    except ImportError as e:
        raise InputError(
            "transformers is not installed, and encoders need it: run pip install "
            f"'transformers>={_dotted(OLDEST)}'"
        ) from e
    if release(found.__version__) < OLDEST:
        raise InputError(
            f"found transformers {found.__version__}, needed {_dotted(OLDEST)} or later; run "
            "pip install --upgrade transformers"
        )
    return found


def named_class(name: str, since: str = "") -> Any:
    """A class of transformers, or InputError where the installed release has none such."""
    transformers = library()
    try:
        return getattr(transformers, name)
    except AttributeError as e:
        needed = f" {since}" if since else ", a later release,"
        raise InputError(
            f"this model needs transformers{needed} for {name}; found "
            f"{transformers.__version__}: run pip install --upgrade transformers"
        ) from e
    except ImportError as e:
        raise InputError(f"transformers cannot give {name} here ({one_line(e)}); install it") from e


def release(version: str) -> tuple[int, ...]:
    """'4.50.3' -> (4, 50)."""
    return tuple(int(n) for n in re.findall(r"\d+", version)[:2])


def precision(dtype: torch.dtype) -> dict[str, torch.dtype]:
    """The argument that sets it; releases before 4.56 call it torch_dtype."""
    named = "dtype" if release(library().__version__) >= (4, 56) else "torch_dtype"
    return {named: dtype}


@contextmanager
def quiet() -> Iterator[None]:
    """Without the library's reports and bars: what matters of them is raised."""
    log = library().utils.logging
    level, bar = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(level)
        if bar:
            log.enable_progress_bar()


def one_line(error: Exception) -> str:
    """What another package raised, short enough to quote."""
    return " ".join(str(error).split())[:160] or type(error).__name__


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
