"""What nodes and networks keep from one call to the next, as if all calls were of the same rows.

Flux KV Cache has keys and values by block; HiDream-O1 has those of a prompt's start, and tells
references apart by an address that another may have had before. Here every set of rows that share a
call has its own, which is exact: the same rows hear what they heard.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...mm_core.errors import InputError
from .calls import with_wrapper

Holder = tuple[Any, str, Callable[[], Any]]
"""An object, the attribute in which it keeps something, and what that is at first."""


@dataclass
class Kept:
    """State of one run: what each set of rows has kept, by holder."""

    by_rows: dict[Any, dict[int, Any]] = field(default_factory=dict)

    def forget(self) -> None:
        self.by_rows.clear()


def apart(options: Mapping[str, Any], kept: Kept, network: Any) -> Mapping[str, Any]:
    """Model options under which each set of rows that share a call has caches of its own."""
    holders = [*_patches(options), *_networks(network)]
    return with_wrapper(options, "mmc_apart", _Apart(holders, kept)) if holders else options


class _Apart:
    """An APPLY_MODEL wrapper."""

    def __init__(self, holders: list[Holder], kept: Kept):
        self.holders, self.kept = holders, kept

    def __call__(self, executor, x, t, c_concat=None, c_crossattn=None, control=None,
                 transformer_options={}, **kwargs):  # noqa: B006  # fmt: skip
        own = self.kept.by_rows.setdefault(_rows(transformer_options), {})
        for holder, name, empty in self.holders:
            setattr(holder, name, own.get(id(holder), empty()))
        try:
            return executor(x, t, c_concat, c_crossattn, control, transformer_options, **kwargs)
        finally:
            for holder, name, empty in self.holders:
                own[id(holder)] = getattr(holder, name)
                setattr(holder, name, empty())


def refuse_one_cache(sampler: str, rows: int) -> None:
    """InputError for a sampler that keeps keys and values of one row, where there are more."""
    if sampler == "ar_video" and rows > 1:
        raise InputError(
            f"the sampler ar_video keeps the frames before for one row only, and this graph has "
            f"{rows}: set every weight to 1, or take another sampler"
        )


def _rows(options: Mapping[str, Any]) -> tuple[Any, ...]:
    """Which rows a call is of, and which part of the batch."""
    window = options.get("context_window")
    return (*options["uuids"], *getattr(window, "index_list", ()))


def _patches(options: Mapping[str, Any]) -> list[Holder]:
    patches = options.get("transformer_options", {}).get("patches", {}).get("attn1_patch", ())
    return [(p, "cache", dict) for p in patches if type(p).__name__ == "KV_Attn_Input"]


def _networks(network: Any) -> list[Holder]:
    kept = hasattr(network, "clear_kv_cache") and hasattr(network, "_kv_cache_entries")
    return [(network, "_kv_cache_entries", list)] if kept else []
