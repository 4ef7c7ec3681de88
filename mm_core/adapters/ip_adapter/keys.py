"""The names that tensors have in files, brought to one form: image_proj.* and ip_adapter.*."""

import re
from collections.abc import Collection, Mapping
from typing import TypeVar

T = TypeVar("T")

PROJECTION, LAYERS = "image_proj.", "ip_adapter."
_PREFIXES = {
    PROJECTION: PROJECTION,
    LAYERS: LAYERS,
    "adapter_modules.": LAYERS,
    "ip_adapter_proj_model.": PROJECTION,
    "image_proj_model.": PROJECTION,
}
_PARALLEL = "module."  # before each name where several processes trained
_IN_UNET = re.compile(
    r"unet\.(down|up|mid)_blocks?\.(?:(\d+)\.)?attentions\.(\d+)\.transformer_blocks\.(\d+)"
    r"\.attn([12])\.processor\.(.+)"
)
_PARTS = ("down", "up", "mid")  # in the order in which a UNet registers them
_XLABS = re.compile(
    r"double_blocks\.(\d+)\.processor\.ip_adapter_double_stream_([kv])_proj\.(weight|bias)"
)


def canonical(name: str) -> str | None:
    """A file's name for a tensor in the published form, or None for what is no adapter's.

    IP-Adapter's own trainer, and community files, say adapter_modules for ip_adapter; XLabs names
    the blocks of Flux.
    """
    name = name.removeprefix(_PARALLEL)
    if block := _XLABS.fullmatch(name):
        return f"{LAYERS}{block[1]}.to_{block[2]}_ip.{block[3]}"
    for prefix, form in _PREFIXES.items():
        if name.startswith(prefix):
            return form + name.removeprefix(prefix)
    return None


def canonical_names(table: Mapping[str, T]) -> dict[str, T]:
    """The same table under canonical names, without what is no adapter's."""
    return {form: table[name] for name, form in named(table).items()}


def named(names: Collection[str]) -> dict[str, str]:
    """A file's names for the tensors of an adapter, each with its canonical one.

    A checkpoint of IP-Adapter's trainer holds the UNet as well, and in it the layers once more;
    saved as safetensors it has them there alone, since each tensor is written once.
    """
    found = {name: form for name in names if (form := canonical(name)) is not None}
    if any(form.startswith(LAYERS) for form in found.values()):
        return found
    return found | _in_unet(names)


def _in_unet(names: Collection[str]) -> dict[str, str]:
    """The same for layers that are named by their place in a UNet of diffusers.

    Every transformer block has a self-attention, which files number first, and a cross-attention.
    """
    places: dict[str, tuple[tuple[int, ...], str, str]] = {}
    for name in names:
        if m := _IN_UNET.fullmatch(name.removeprefix(_PARALLEL)):
            block = (_PARTS.index(m[1]), *(int(n or 0) for n in m.group(2, 3, 4)))
            places[name] = block, m[5], m[6]
    index = {block: k for k, block in enumerate(sorted({block for block, _, _ in places.values()}))}
    return {
        name: f"{LAYERS}{2 * index[block] + int(attention) - 1}.{rest}"
        for name, (block, attention, rest) in places.items()
    }


def is_lora(name: str) -> bool:
    """Whether a canonical name belongs to the extra low-rank weights of FaceID files."""
    return name.startswith(LAYERS) and "_lora." in name
