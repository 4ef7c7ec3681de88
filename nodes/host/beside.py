"""Several prompts in one row: their tokens side by side, with all that each of them carries."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import comfy.hooks
import torch

from ...mm_core.errors import InputError
from .masks import GRID, MASK, as_long, joined_masks
from .part import CLIP_RANGE, PLACED, RANGE, Part, active, always, without
from .same import is_setting, same

NAMES = {
    "audio_embed": "a sound", "clip_vision_output": "a picture for the network",
    "concat_latent_image": "an inpainting picture", "concat_mask": "an inpainting mask",
    "gligen": "boxes", "guidance": "a distilled guidance",
}  # fmt: skip
OF_TOKENS = (MASK, GRID, "pooled_output")
BOXES = "gligen"


def side_by_side(seen: Mapping[str, Sequence[Part]], rest: Sequence[Part] = ()) -> list[Part]:
    """The parts of a row that sees several prompts.

    Each entry of one prompt meets each of the others', while both are active. Where prompts act in
    a part of the picture, the others are there too, and alone everywhere else; rest: what is
    elsewhere where there are no others. The order of the prompts orders tokens and nothing else.

    Raises InputError where prompts act in different parts of the picture, or carry things of
    which a row can hold one.
    """
    if len(seen) == 1 and not rest:
        return list(*seen.values())
    placed = {name: [part.spot for part in parts] for name, parts in seen.items()}
    leads = [name for name, spots in placed.items() if any(spots)]
    for other in leads[1:]:
        if not same(placed[other], placed[leads[0]]):
            raise InputError(
                f"{leads[0]} and {other} both have areas or masks, and not the same: combine them "
                "with ConditioningCombine and connect that to one node"
            )
    groups = [list(zip(*(seen[name] for name in leads), strict=True))] if leads else []
    groups += [[(part,) for part in parts] for name, parts in seen.items() if name not in leads]
    order = [*leads, *(name for name in seen if name not in leads)]
    back = [order.index(name) for name in seen]
    out = []
    for chosen in itertools.product(*groups):
        parts = [part for group in chosen for part in group]
        out.append(beside([parts[k] for k in back]))
    out = [part for part in out if _ever(part)] or out[:1]
    if leads and not any(part.whole for part in seen[leads[0]]):
        others = {name: parts for name, parts in seen.items() if name not in leads}
        elsewhere = side_by_side(others) if others else [p for p in rest if p.whole]
        out += [_by_default(part) for part in elsewhere]
    return out


def nothing_of(absents: Mapping[str, Sequence[Part]]) -> list[Part]:
    """The parts of a row without any prompt, of what each prompt has for its absence: equal ones
    once. What only some of them carry belongs to their prompts, and is not there.

    One that is not active at all times is left out where another is.
    """
    steady = {n: p for n, p in absents.items() if always([active(one.options) for one in p])}
    chosen = steady or absents
    everyone = [part for parts in chosen.values() for part in parts]
    bare = {name: [_bare(part, everyone) for part in parts] for name, parts in chosen.items()}
    distinct: dict[str, list[Part]] = {}
    for name, parts in bare.items():
        known = next((n for n, other in distinct.items() if _alike(other, parts)), None)
        if known is None:
            distinct[name] = parts
        else:
            pairs = zip(distinct[known], parts, strict=True)
            distinct[known] = [_as_one(one, other) for one, other in pairs]
    return side_by_side(distinct)


def beside(parts: Sequence[Part]) -> Part:
    """One part of all: tokens side by side, controls and options of each.

    Lists grow, boxes and hooks add up, pooled vectors are averaged. Raises InputError for what the
    network reads once and two parts have differently.
    """
    if len(parts) == 1:
        return parts[0]
    options: dict[str, Any] = {}
    owners: dict[str, str] = {}
    for part in parts:
        for key, value in without(part.options, (*PLACED, *RANGE, *CLIP_RANGE)).items():
            if key in (*OF_TOKENS, "hooks"):
                continue
            name = part.owners.get(key, "")
            if key in options:
                value = _both(key, options[key], value, owners[key], name)
            else:
                owners[key] = name
            options[key] = value
    lead = next((part for part in parts if part.spot), parts[0])
    texts = [part for part in parts if part.tokens is not None]
    masks = joined_masks([p.tokens for p in texts], [p.options for p in texts])
    return Part(
        _tokens(parts),
        {**options, **_averaged(parts), **_hooks(parts), **masks, **lead.spot, **_met(parts)},
        {key: control for part in parts for key, control in part.controls.items()},
        owners,
    )


def added_to(part: Part, options: Mapping[str, Any], before: Mapping[str, Any], name: str) -> Part:
    """A part with what an input adds to its options: lists grow, and boxes. A value takes the
    place of the one that the input was added to, before, and of no other."""
    merged, owners = dict(part.options), dict(part.owners)
    for key, value in options.items():
        now = merged.get(key)
        if isinstance(value, list) and isinstance(now, list):
            value = now + value
        elif key == BOXES and now is not None:
            value = _boxes(now, value, owners.get(key, ""), name)
        elif isinstance(value, dict) and isinstance(now, dict):
            value = _union(key, now, value, owners.get(key, ""), name, before.get(key) or {})
        elif key in merged and not same(now, value) and not same(now, before.get(key)):
            raise _conflict(key, owners.get(key, ""), name)
        merged[key], owners[key] = value, name
    return replace(part, options=merged, owners=owners)


def _both(key: str, now: Any, value: Any, owner: str, name: str) -> Any:
    if same(now, value):
        return now
    if isinstance(now, list) and isinstance(value, list):
        return now + [v for v in value if not any(same(v, n) for n in now)]
    if key == BOXES:
        return _boxes(now, value, owner, name)
    if isinstance(now, dict) and isinstance(value, dict):
        return _union(key, now, value, owner, name, {})
    raise _conflict(key, owner, name)


def _boxes(now, value, owner: str, name: str):
    """Boxes of one model, in one list."""
    if not (same(now[:2], value[:2]) and len(now) == len(value) == 3):
        raise _conflict(BOXES, owner, name)
    return (*now[:2], now[2] + [v for v in value[2] if not any(same(v, n) for n in now[2])])


def _union(key: str, now: dict, value: dict, owner: str, name: str, before: dict) -> dict:
    for inner in now.keys() & value.keys():
        if not same(now[inner], value[inner]) and not same(now[inner], before.get(inner)):
            raise _conflict(f"{key}.{inner}", owner, name)
    return {**now, **value}


def _conflict(key: str, owner: str, name: str) -> InputError:
    what = f"{NAMES[key]} ({key})" if key in NAMES else key
    return InputError(
        f"{owner or 'the prompt'} and {name or 'another input'} both carry {what}, and not the "
        "same: the network reads only one at a time; leave it on one of them, or give both the "
        "same"
    )


def _tokens(parts: Sequence[Part]):
    """Tokens side by side (b, n, d)."""
    found = [part.tokens for part in parts if part.tokens is not None]
    if not found:
        return None
    if len({tokens.shape[2] for tokens in found}) > 1:
        widths = " and ".join(dict.fromkeys(str(tokens.shape[2]) for tokens in found))
        raise InputError(
            f"prompts of different text encoders stand in one row: their tokens are {widths} wide; "
            "encode all of them with the CLIP that fits the model"
        )
    return torch.cat([tokens.to(found[0]) for tokens in as_long(found)], 1)


def _averaged(parts: Sequence[Part]) -> dict[str, Any]:
    """The pooled vector: the mean of those there are, which no order changes."""
    values = [p.options["pooled_output"] for p in parts if "pooled_output" in p.options]
    found = [value for value in values if value is not None]
    if not found:
        return {"pooled_output": None} if values else {}
    if all(same(found[0], other) for other in found[1:]):
        return {"pooled_output": found[0]}
    like = found[0]
    return {"pooled_output": torch.stack([v.to(like) for v in as_long(found)]).mean(0)}


def _hooks(parts: Sequence[Part]) -> dict[str, Any]:
    groups = [p.options["hooks"] for p in parts if p.options.get("hooks") is not None]
    if not groups:
        return {}
    return {"hooks": comfy.hooks.HookGroup.combine_all_hooks(list(dict.fromkeys(groups)))}


def _met(parts: Sequence[Part]) -> dict[str, float]:
    """The times at which all are active."""
    out: dict[str, float] = {}
    for keys in (RANGE, CLIP_RANGE):
        for key, choose in zip(keys, (max, min), strict=True):
            found = [part.options[key] for part in parts if key in part.options]
            if found:
                out[key] = choose(found)
    return out


def _ever(part: Part) -> bool:
    start, end = active(part.options)
    return start < end


def _by_default(part: Part) -> Part:
    """A part that acts wherever no other of its row does."""
    return replace(part, options={**without(part.options, PLACED), "default": True})


def _bare(part: Part, everyone: Sequence[Part]) -> Part:
    """A part without what others lack. Settings, vectors and masks belong to the tokens."""
    kept = {
        key: value
        for key, value in part.options.items()
        if is_setting(value) or key in OF_TOKENS or all(key in p.options for p in everyone)
    }
    controls = {k: c for k, c in part.controls.items() if all(k in p.controls for p in everyone)}
    return replace(part, options={**kept, **part.place}, controls=controls)


def _alike(one: Sequence[Part], other: Sequence[Part]) -> bool:
    """Whether they are the same tokens, in the same places and at the same times."""
    return len(one) == len(other) and all(
        same(a.tokens, b.tokens) and same(a.place, b.place) for a, b in zip(one, other, strict=True)
    )


def _as_one(one: Part, other: Part) -> Part:
    """Two parts of the same tokens: with the options of both."""
    options, owners = dict(one.options), dict(one.owners)
    for key, value in other.options.items():
        name = other.owners.get(key, "")
        if key in options and key not in PLACED:
            value = _both(key, options[key], value, owners.get(key, ""), name)
        options[key] = value
        owners.setdefault(key, name)
    return replace(one, options=options, owners=owners)
