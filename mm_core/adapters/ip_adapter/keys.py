"""The names that tensors have in files, brought to one form: image_proj.* and ip_adapter.*."""

import re
from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")

PROJECTION, LAYERS = "image_proj.", "ip_adapter."
_PREFIXES = {
    PROJECTION: PROJECTION,
    LAYERS: LAYERS,
    "adapter_modules.": LAYERS,
    "ip_adapter_proj_model.": PROJECTION,
}
_XLABS = re.compile(
    r"double_blocks\.(\d+)\.processor\.ip_adapter_double_stream_([kv])_proj\.(weight|bias)"
)


def canonical(name: str) -> str | None:
    """A file's name for a tensor in the published form, or None for what is no adapter's.

    Community files say adapter_modules for ip_adapter; XLabs names the blocks of Flux.
    """
    if block := _XLABS.fullmatch(name):
        return f"{LAYERS}{block[1]}.to_{block[2]}_ip.{block[3]}"
    for prefix, form in _PREFIXES.items():
        if name.startswith(prefix):
            return form + name.removeprefix(prefix)
    return None


def canonical_names(table: Mapping[str, T]) -> dict[str, T]:
    """The same table under canonical names, without what is no adapter's."""
    named = ((canonical(name), value) for name, value in table.items())
    return {name: value for name, value in named if name is not None}


def is_lora(name: str) -> bool:
    """Whether a canonical name belongs to the extra low-rank weights of FaceID files."""
    return name.startswith(LAYERS) and "_lora." in name
