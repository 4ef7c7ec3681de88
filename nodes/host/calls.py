"""Rows to network calls: one for all of them, as the host and other packs' nodes expect it."""

import gc
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import comfy.model_management
import comfy.patcher_extension
import comfy.samplers

from ...mm_core.errors import InputError
from .ip_adapter.carry import RESTING

APPLY = comfy.patcher_extension.WrappersMP.APPLY_MODEL
READS_THE_OTHER_SIDE = {"SelfAttentionGuidance": "Self-Attention Guidance"}


def run_rows(model, conds: Sequence[Any], x, timestep, options, at_once: int | None = None):
    """One x0 for each row, in one call, and how many rows fitted into one.

    Where memory runs out, rows are run in smaller groups; where a single one does not fit, the
    host's own error goes on.
    """
    other = options.get("sampler_calc_cond_batch_function")
    if other is not None:
        return _run_pair(other, model, conds, x, timestep, options)[: len(conds)], at_once
    size = min(at_once or len(conds), len(conds))
    while True:
        outputs = _try(model, conds, x, timestep, options, size)
        if outputs is not None:
            return outputs, size if size < len(conds) else at_once
        size = (size + 1) // 2
        gc.collect()
        comfy.model_management.soft_empty_cache()


def _try(model, conds, x, timestep, options, size: int):
    """Rows in groups of a size, or None where memory runs out and smaller groups may do."""
    out: list[Any] = []
    try:
        for start in range(0, len(conds), size):
            # Rows of other groups are None: patches read the number of a row.
            part = [None] * start + list(conds[start : start + size])
            out += comfy.samplers.calc_cond_batch(model, part, x, timestep, options)[start:]
    except comfy.model_management.OOM_EXCEPTION:
        if size == 1:
            raise
        return None
    return out


def _run_pair(run, model, conds, x, timestep, options):
    """The rows through another node's own way to run the network."""
    if len(conds) > 2:
        raise InputError(
            f"a node on the model, such as SkipLayerGuidanceDiTSimple, runs the network in its "
            f"own way, for two rows; this step has {len(conds)}: take that node away, or use "
            "one input at the speed exact"
        )
    return run(
        {
            "conds": [*conds, None][:2], "input": x, "sigma": timestep, "model": model,
            "model_options": options,
        }
    )  # fmt: skip


def with_resting(options: Mapping[str, Any], names: Collection[str]):
    """Model options that say which image prompts do not act at this step: off in every row."""
    inner = options.get("transformer_options", {})
    return {**options, "transformer_options": {**inner, RESTING: frozenset(names)}}


def without(options: Mapping[str, Any], name: str):
    """Model options under which the network is not given what rows carry by this name."""
    return with_wrapper(options, f"mmc_without {name}", _Without(name))


class _Without:
    """An APPLY_MODEL wrapper without state."""

    def __init__(self, name: str):
        self.name = name

    def __call__(self, executor, *args, **kwargs):
        kwargs.pop(self.name, None)
        return executor(*args, **kwargs)


def with_wrapper(options: Mapping[str, Any], key: str, wrapper: Any) -> dict[str, Any]:
    """Model options with one more wrapper around each call of the network."""
    inner = dict(options.get("transformer_options", {}))
    wrappers = {kind: dict(by_key) for kind, by_key in inner.get("wrappers", {}).items()}
    wrappers.setdefault(APPLY, {})[key] = [wrapper]
    return {**options, "transformer_options": {**inner, "wrappers": wrappers}}


def with_sides(options: Mapping[str, Any], sides: Mapping[Any, int]):
    """Model options under which other packs' patches read 0 and 1 in cond_or_uncond, as they do of
    two rows: 0 on the prompt's side, 1 on the other. sides: by the uuid of a conditioning."""
    out = with_wrapper(options, "mmc_sides", _Sides(sides))
    if (wrapper := options.get("model_function_wrapper")) is not None:
        out["model_function_wrapper"] = _told_sides(wrapper, sides)
    return out


class _Sides:
    """An APPLY_MODEL wrapper without state."""

    def __init__(self, sides: Mapping[Any, int]):
        self.sides = sides

    def __call__(self, executor, x, t, c_concat=None, c_crossattn=None, control=None,
                 transformer_options={}, **kwargs):  # noqa: B006  # fmt: skip
        told = {**transformer_options, "cond_or_uncond": _sides_of(transformer_options, self.sides)}
        return executor(x, t, c_concat, c_crossattn, control, told, **kwargs)


def _told_sides(wrapper, sides):
    def run(apply_model, args):
        told = _sides_of(args["c"]["transformer_options"], sides)
        return wrapper(apply_model, {**args, "cond_or_uncond": told})

    return run


def _sides_of(transformer_options, sides):
    now = transformer_options["cond_or_uncond"]
    return [sides.get(u, k) for u, k in zip(transformer_options["uuids"], now, strict=True)]


def refuse_without_other_side(options: Mapping[str, Any]) -> None:
    """InputError for nodes on the model that read a row without the prompt, where there is none."""
    for hook in options.get("sampler_post_cfg_function", []):
        name = getattr(hook, "__qualname__", "").split(".")[0]
        if name in READS_THE_OTHER_SIDE:
            raise InputError(
                f"{READS_THE_OTHER_SIDE[name]} ({name}) on the model reads the row without the "
                "prompt, and this graph has none: give the first text a weight other than 1, or "
                "take that node away"
            )
