"""The header of our weight files: which format, which version, and how the weights came about.

It lives in the safetensors metadata, which is a table of strings, so everything is JSON.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from ..errors import WeightsError

PREFIX = "mmc."
KINDS = {"kind": str, "version": int, "config": dict, "recipe": dict, "figures": dict}


@dataclass(frozen=True)
class Header:
    """kind: what the file is, such as "embedded-model"; version: of that kind's layout.

    config: arguments that rebuild the module. recipe: seeds and settings that made the weights.
    figures: what was measured on them.
    """

    kind: str
    version: int
    config: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)


def pack(header: Header) -> dict[str, str]:
    """Header -> safetensors metadata."""
    return {"format": "pt"} | {
        PREFIX + name: json.dumps(value, sort_keys=True, allow_nan=False)
        for name, value in vars(header).items()
    }


def unpack(metadata: dict[str, str] | None, source: str = "the file") -> Header | None:
    """Safetensors metadata -> Header, or None where the file is not one of ours.

    Raises WeightsError for a header of ours that is damaged, or of a later version of the pack.
    """
    entries = {k: v for k, v in (metadata or {}).items() if k.startswith(PREFIX)}
    if not entries:
        return None
    found: dict[str, Any] = {}
    for name, value in entries.items():
        try:
            found[name.removeprefix(PREFIX)] = json.loads(value, parse_constant=_refuse)
        except (ValueError, RecursionError) as e:
            said = " ".join(str(e).split())[:80]
            raise _damaged(source, f"{_short(name)} is no JSON ({said})") from e
    if unknown := found.keys() - KINDS.keys():
        raise _damaged(source, f"it holds {_short(PREFIX + min(unknown))}, unknown here")
    if missing := {"kind", "version"} - found.keys():
        raise _damaged(source, f"it lacks {PREFIX}{min(missing)}")
    for name, value in found.items():
        if type(value) is not KINDS[name]:
            what = f"{PREFIX}{name} is a {type(value).__name__}, needed a {KINDS[name].__name__}"
            raise _damaged(source, what)
    return Header(**found)


def _damaged(source: str, what: str) -> WeightsError:
    return WeightsError(
        f"{source} has a damaged header: {what}; download or make it again, or update the pack"
    )


def _refuse(constant: str) -> None:
    raise ValueError(f"it holds {constant}")


def _short(name: str) -> str:
    return repr(name)[1:-1][:60]
