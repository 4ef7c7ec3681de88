"""The header of our weight files: which format, which version, and how the weights came about.

It lives in the safetensors metadata, which is a table of strings, so everything is JSON.
"""

import json
from dataclasses import dataclass, field
from typing import Any

PREFIX = "mmc."


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


def unpack(metadata: dict[str, str] | None) -> Header | None:
    """Safetensors metadata -> Header, or None where the file is not one of ours."""
    entries = {k: v for k, v in (metadata or {}).items() if k.startswith(PREFIX)}
    if PREFIX + "kind" not in entries:
        return None
    try:
        return Header(**{k.removeprefix(PREFIX): json.loads(v) for k, v in entries.items()})
    except (TypeError, ValueError):
        return None
